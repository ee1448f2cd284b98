import { DEFAULT_LIMITS } from '@socklet/config'
import { FrameType, encodeFrame, functionCode, withHead } from '@socklet/protocol'
import type { GuestRelease } from '../turn-layout.ts'

const ECHO = `exports.main = (ctx) => {
  if (ctx.method === 'WebSocket:message') ctx.socket.send(ctx.params.data.toString())
}`

/**
 * A script that lets the guest do what every app makes it do: V8 keeps in the snapshot what it has compiled for that, and
 * nothing else of it. Measured: an isolate answers its first message 2 ms of CPU earlier, and is no larger.
 */
export function warmUpScript(): string {
  const release: GuestRelease = { appid: 'warm-up', functions: [{ name: '__websocket__', version: 1 }], modules: [], env: {}, secret: '', limits: DEFAULT_LIMITS }
  const events = Buffer.concat([frame(FrameType.ATTACHED), frame(FrameType.OPEN, opening()), frame(FrameType.MESSAGE, Buffer.from('hello')), frame(FrameType.CLOSED, Buffer.of(0xe8, 0x03))])
  return `{
    const guest = __socklet_boot((count) => new ArrayBuffer(count), '')
    guest.load(${JSON.stringify(JSON.stringify(release))}, ${JSON.stringify(functionCode('__websocket__', ECHO))})
    guest.turn(0, undefined, ${events.byteLength}, ${JSON.stringify(events.toString('latin1'))}, undefined)
    guest.rest(0, undefined)
  }`
}

/** As in the mailbox of an app (worker/mailbox.ts). */
function frame(type: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  return encodeFrame({ type, flags: 0, gateway: 0, app: 1, generation: 1, connection: 1, sequence: 0 }, payload)
}

function opening(): Buffer {
  return withHead(JSON.stringify({ id: 'id', url: '/', headers: {}, protocol: '', extensions: '' }))
}
