import { expect, it } from 'vitest'
import { ShortTurns } from '../../src/worker/short-turns.ts'

const LIMIT_MS = 1_000

function after(...turns: [count: number, cpuMs: number][]): boolean {
  const short = new ShortTurns()
  for (const [count, cpuMs] of turns) for (let n = 0; n < count; n++) short.measure(cpuMs)
  return short.areUsual(LIMIT_MS)
}

it('a hundred short turns are a habit', () => {
  expect(after()).toBe(false)
  expect(after([99, 0.1])).toBe(false)
  expect(after([100, 5])).toBe(true)
  expect(after([10_000, 5.1])).toBe(false)
})

it('one that is not short does not break it, two or a long one do', () => {
  expect(after([10_000, 0.1], [1, 8])).toBe(true)
  expect(after([10_000, 0.1], [2, 8])).toBe(false)
  expect(after([10_000, 0.1], [2, 8], [50, 0.1])).toBe(true)
  expect(after([100, 0.1], [1, 8])).toBe(false)
  expect(after([10_000, 0.1], [1, 50])).toBe(false)
  expect(after([10_000, 0.1], [1, 50], [99, 0.1])).toBe(false)
})

it('it counts for nothing where a turn may take longer than a silent worker has', () => {
  const short = new ShortTurns()
  for (let n = 0; n < 200; n++) short.measure(0.1)
  expect(short.areUsual(2_500)).toBe(true)
  expect(short.areUsual(2_501)).toBe(false)
})
