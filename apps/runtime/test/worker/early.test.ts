import { FrameError, FrameType, HEADER_BYTES, encodeFrame, readU32 } from '@socklet/protocol'
import { expect, it } from 'vitest'
import { Early } from '../../src/worker/early.ts'

function add(early: Early, app: number, generation: number, sequence: number): void {
  // In a chunk of a link, which is used again.
  const chunk = new Uint8Array(8 + HEADER_BYTES)
  chunk.set(encodeFrame({ type: FrameType.MESSAGE, flags: 0, gateway: 0, app, generation, connection: 1, sequence }), 8)
  early.add(chunk, 8, chunk.byteLength)
  chunk.fill(0)
}

function taken(early: Early, app: number, generation: number): number[] {
  const sequences: number[] = []
  early.take(app, generation, (bytes, start) => sequences.push(readU32(bytes, start + 20)))
  return sequences
}

/**
 * The pool does not wait until a worker has taken an app before it tells the gateways: what they have for it may be read
 * before the pool's `hold`, and would never be sent again.
 */
it('keeps what comes before its app, in order, and nothing of lives that are over', () => {
  const early = new Early()
  for (const sequence of [1, 2, 3]) add(early, 7, 5, sequence)
  add(early, 8, 6, 4)
  expect(taken(early, 7, 5)).toEqual([1, 2, 3])
  // The life of before, and of another app that was never there: both are over.
  add(early, 7, 5, 5)
  add(early, 9, 4, 6)
  expect(taken(early, 8, 6)).toEqual([4])
  expect(taken(early, 9, 7)).toEqual([])
  // A newer life takes the place of one whose hold never came.
  add(early, 7, 8, 7)
  add(early, 7, 9, 8)
  expect(taken(early, 7, 9)).toEqual([8])
})

it('keeps nothing of apps that never come', () => {
  const early = new Early()
  for (let app = 1; app <= 1_000; app++) add(early, app, app, 1)
  expect(early.bytes).toBeGreaterThan(1_000 * HEADER_BYTES)
  expect(taken(early, 1_000, 1_000)).toEqual([1])
  expect(early.bytes).toBe(0)
  // A newer life in place of one that never came counts once.
  add(early, 7, 1_001, 1)
  const one = early.bytes
  add(early, 7, 1_002, 1)
  expect(early.bytes).toBe(one)
})

it('gives up, and loses nothing silently, when more waits than can be', () => {
  const early = new Early(1_000)
  expect(() => {
    for (let sequence = 0; sequence < 10; sequence++) add(early, 7, 5, sequence)
  }).toThrow(FrameError)
  expect(early.bytes).toBeLessThanOrEqual(1_000)
})
