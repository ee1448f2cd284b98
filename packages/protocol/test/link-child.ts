/** Keeps frames from descriptor 3 as a worker does, and sends all of them back when it is asked to. */
import { FrameType, HEADER_BYTES, Link, readHead, type FrameHead } from '../src/index.ts'

const kept: { head: FrameHead; payload: Uint8Array }[] = []
const link = Link.open(3, {
  onFrame: (bytes, start, end) => {
    const head = readHead(bytes, start)
    if (head.type !== FrameType.CLOSED) kept.push({ head, payload: bytes.slice(start + HEADER_BYTES, end) })
    else for (const frame of kept.splice(0)) link.send(frame.head, frame.payload)
  },
  onClose: () => process.exit(0)
})
