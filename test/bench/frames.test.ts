import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameSplitter, maskedFrame, Opcode } from './load/frames.ts'
import { headOf, received } from '../conformance/support/frames.ts'

/** As a server sends it, RFC 6455, 5.2. */
function serverFrame(opcode: number, payload: Uint8Array, fin = true): Buffer {
  const { length } = payload
  const head = length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 255] : [127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255]
  return Buffer.concat([Buffer.of((fin ? 0x80 : 0) | opcode, ...head), payload])
}

const aMessage = fc.record({ opcode: fc.constantFrom(1, 2), size: fc.constantFrom(0, 1, 64, 125, 126, 4096, 65_535, 65_536), pieces: fc.integer({ min: 1, max: 3 }) })
const aControl = fc.record({ opcode: fc.constantFrom(8, 9, 10), size: fc.integer({ min: 0, max: 125 }), pieces: fc.constant(1) })

describe('FrameSplitter', () => {
  it('counts messages and their bytes and gives control frames whole, however the bytes are cut', () => {
    const frames = fc.array(fc.oneof(aMessage, aControl), { maxLength: 12 })
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (list, cuts) => {
        const bytes = Buffer.concat(
          list.flatMap(({ opcode, size, pieces }) =>
            Array.from({ length: pieces }, (_, piece) => serverFrame(piece === 0 ? opcode : 0, Buffer.alloc(size, opcode), piece === pieces - 1))
          )
        )
        const controls: string[] = []
        const splitter = new FrameSplitter((opcode, payload) => controls.push(`${opcode} ${payload.toString('hex')}`))
        let messages = 0
        for (let at = 0, n = 0; at < bytes.length; n++) {
          const end = Math.min(bytes.length, at + cuts[n % cuts.length]!)
          messages += splitter.push(bytes, at, end)
          at = end
        }
        const [data, control] = [list.filter(({ opcode }) => opcode < 8), list.filter(({ opcode }) => opcode >= 8)]
        expect(messages).toBe(data.length)
        expect(splitter.payloadBytes).toBe(data.reduce((sum, { size, pieces }) => sum + size * pieces, 0))
        expect(controls).toEqual(control.map(({ opcode, size }) => `${opcode} ${Buffer.alloc(size, opcode).toString('hex')}`))
      })
    )
  })

  it.each([
    ['a mask', Buffer.of(0x81, 0x81, 0, 0, 0, 0, 0)],
    ['reserved bits', Buffer.of(0xc1, 0x01, 0)]
  ])('takes no frame with %s', (_what, bytes) => {
    expect(() => new FrameSplitter(() => {}).push(bytes, 0, bytes.length)).toThrow('reserved bits or a mask')
  })
})

describe('maskedFrame', () => {
  it.each([0, 64, 125, 126, 65_535, 65_536])('of %d bytes is what a server takes apart again', (size) => {
    const payload = Buffer.alloc(size, 'socklet')
    const frame = maskedFrame(Opcode.BINARY, payload)
    const plain = Buffer.from(frame)
    const head = headOf(plain)!
    const mask = frame.subarray(head.bytes, head.bytes + 4)
    const { fin, rsv, opcode, masked, payload: content } = received(plain, { bytes: head.bytes + 4, payload: head.payload })
    expect({ fin, rsv, opcode, masked }).toEqual({ fin: true, rsv: 0, opcode: Opcode.BINARY, masked: true })
    expect(frame.length).toBe(head.bytes + 4 + size)
    expect(Buffer.from(content.map((byte, index) => byte ^ mask[index & 3]!)).equals(payload)).toBe(true)
  })
})
