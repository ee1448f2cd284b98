import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Flag, FrameError, FrameType, HEADER_BYTES, encodeFrame, keptSequence, nameKeptMessage, namesKeptMessage, paddedLength, readHead, withKeptMessage, writeU32 } from '../src/index.ts'

const head = { flags: Flag.EXTERNAL | Flag.BINARY, gateway: 2, app: 7, generation: 3, connection: 9, sequence: 5 }
const number = fc.nat(0xffffffff)
const message = fc.uint8Array({ maxLength: 5_000 })

/** u32s as a payload. */
function numbers(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  for (const [index, value] of values.entries()) writeU32(bytes, index * 4, value)
  return bytes
}

/** Behind something else, as in a chunk of a link. */
function inChunk(frame: Uint8Array): { bytes: Uint8Array; start: number; end: number } {
  const bytes = new Uint8Array(8 + frame.byteLength)
  bytes.set(frame, 8)
  return { bytes, start: 8, end: bytes.byteLength }
}

test('a message to one names another, and becomes whole with it', () => {
  fc.assert(
    fc.property(number, message, (sequence, data) => {
      const { bytes, start, end } = inChunk(encodeFrame({ ...head, type: FrameType.SEND }, numbers(0)))
      nameKeptMessage(bytes, start, start + HEADER_BYTES, sequence)
      expect(namesKeptMessage(bytes, start)).toBe(true)
      expect(keptSequence(bytes, start, end)).toBe(sequence)
      const whole = withKeptMessage(bytes, start, end, data)
      expect(readHead(whole, 0)).toEqual({ ...head, type: FrameType.SEND, flags: Flag.BINARY })
      expect(whole.subarray(0, HEADER_BYTES + data.byteLength)).toEqual(Buffer.from(encodeFrame({ ...head, type: FrameType.SEND, flags: Flag.BINARY }, data).subarray(0, HEADER_BYTES + data.byteLength)))
    })
  )
})

test('a message to many does, too, with its receivers behind it', () => {
  fc.assert(
    fc.property(number, message, fc.array(number, { maxLength: 50 }), (sequence, data, receivers) => {
      const { bytes, start, end } = inChunk(encodeFrame({ ...head, type: FrameType.SEND_MANY }, numbers(99, 0, ...receivers)))
      nameKeptMessage(bytes, start, start + HEADER_BYTES + 4, sequence)
      expect(keptSequence(bytes, start, end)).toBe(sequence)
      const payload = new Uint8Array(4 + paddedLength(data.byteLength) + receivers.length * 4)
      writeU32(payload, 0, data.byteLength)
      payload.set(data, 4)
      payload.set(numbers(...receivers), 4 + paddedLength(data.byteLength))
      expect(withKeptMessage(bytes, start, end, data)).toEqual(Buffer.from(encodeFrame({ ...head, type: FrameType.SEND_MANY, flags: Flag.BINARY }, payload)))
    })
  )
})

test('any bytes are a sequence or an error', () => {
  fc.assert(
    fc.property(fc.constantFrom(FrameType.SEND, FrameType.SEND_MANY), fc.uint8Array({ maxLength: 40 }), (type, payload) => {
      const frame = encodeFrame({ ...head, type }, payload)
      try {
        const sequence = keptSequence(frame, 0, HEADER_BYTES + payload.byteLength)
        expect(sequence).toBeGreaterThanOrEqual(0)
        expect(withKeptMessage(frame, 0, HEADER_BYTES + payload.byteLength, new Uint8Array(3)).byteLength).toBeGreaterThan(HEADER_BYTES)
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError)
      }
    })
  )
})

test('only messages to connections name one', () => {
  for (const type of Object.values(FrameType)) expect(namesKeptMessage(encodeFrame({ ...head, type }), 0)).toBe(type === FrameType.SEND || type === FrameType.SEND_MANY)
  expect(namesKeptMessage(encodeFrame({ ...head, type: FrameType.SEND, flags: 0 }), 0)).toBe(false)
})
