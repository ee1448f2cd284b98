import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Batch, FrameError, FrameSplitter, FrameType, HEADER_BYTES, MAX_FRAME_BYTES, encodeFrame, readHead, type FrameHead } from '../src/index.ts'

const u32 = fc.nat({ max: 0xffffffff })
const head: fc.Arbitrary<FrameHead> = fc.record({
  type: fc.nat({ max: 255 }),
  flags: fc.nat({ max: 255 }),
  gateway: fc.nat({ max: 0xffff }),
  app: u32,
  generation: u32,
  connection: u32,
  sequence: u32
})
const frame = fc.record({ head, payload: fc.uint8Array({ maxLength: 200 }) })
type Frame = { head: FrameHead; payload: Uint8Array }

function split(chunks: Uint8Array[], maxFrameBytes?: number): Frame[] {
  const frames: Frame[] = []
  const splitter = new FrameSplitter((bytes, start, end) => frames.push({ head: readHead(bytes, start), payload: bytes.slice(start + HEADER_BYTES, end) }), maxFrameBytes)
  for (const chunk of chunks) splitter.push(chunk)
  return frames
}

function cut(bytes: Uint8Array, at: number[]): Uint8Array[] {
  const places = [0, ...at.map((place) => place % (bytes.byteLength + 1)).toSorted((a, b) => a - b), bytes.byteLength]
  return places.slice(1).map((end, index) => bytes.slice(places[index], end))
}

function plain({ head: { ...fields }, payload }: Frame): unknown {
  return { ...fields, payload: [...payload] }
}

describe('frames', () => {
  it('come out of any cutting of their bytes as they went in', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), fc.array(fc.nat(), { maxLength: 20 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(({ head: one, payload }) => encodeFrame(one, payload)))
        expect(split(cut(bytes, cuts)).map(plain)).toEqual(frames.map(plain))
      })
    )
  })

  it('come out of a batch in the order in which they went in, whatever their size and kind', () => {
    const size = fc.oneof(fc.nat({ max: 100 }), fc.constantFrom(16 * 1024 - 1, 16 * 1024, 16 * 1024 + 3, 70_000))
    const entry = fc.record({ head, size, kind: fc.constantFrom('bytes', 'text', 'encoded') })
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 30 }), (entries) => {
        const batch = new Batch()
        const expected = entries.map(({ head: one, size: length, kind }, index) => {
          const text = `${index}é`.repeat(length).slice(0, length)
          const payload = Buffer.from(text)
          if (kind === 'bytes') batch.add(one, payload)
          else if (kind === 'text') batch.addText(one, text, 'utf8')
          else batch.addEncoded(encodeFrame(one, payload))
          return plain({ head: one, payload })
        })
        const { bytes } = batch
        const parts = batch.take()
        expect(parts.reduce((sum, part) => sum + part.byteLength, 0)).toBe(bytes)
        expect(batch.empty).toBe(true)
        expect(split([Buffer.concat(parts)]).map(plain)).toEqual(expected)
      }),
      { numRuns: 50 }
    )
  })
})

describe('bytes that are no frames', () => {
  it('never hang, crash or allocate much: they are frames by chance, wait for more, or are refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
        try {
          split(cut(bytes, cuts))
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError)
        }
      })
    )
  })

  it('are refused when a length is shorter than a header or above the limit', () => {
    const short = new Uint8Array(HEADER_BYTES)
    short[0] = HEADER_BYTES - 1
    expect(() => split([short])).toThrow(/shorter than its header/)
    const long = encodeFrame({ type: FrameType.SEND, flags: 0, gateway: 0, app: 0, generation: 0, connection: 0, sequence: 0 }, new Uint8Array(100))
    expect(() => split([long], 100)).toThrow(/above the limit of 100/)
  })

  it('do not get the room that they announce before they have sent it', () => {
    const announced = new Uint8Array(HEADER_BYTES)
    new DataView(announced.buffer).setUint32(0, MAX_FRAME_BYTES, true)
    const before = process.memoryUsage().arrayBuffers
    const splitter = new FrameSplitter(() => {})
    splitter.push(announced)
    splitter.push(new Uint8Array(1000))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024)
  })
})
