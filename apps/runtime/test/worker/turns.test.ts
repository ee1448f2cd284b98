import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Turns } from '../../src/worker/turns.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

it('turns begin in the order of asking, no more at a time than there is room for', async () => {
  const turns = new Turns(2)
  const begun: number[] = []
  for (const number of numbers(10)) turns.enter(() => void begun.push(number))
  for (let ended = 0; ended < 8; ended++) {
    expect(begun).toEqual(numbers(ended + 2))
    turns.leave()
    await nextTurn()
  }
  expect(begun).toEqual(numbers(10))
  turns.leave()
  turns.leave()
  for (const number of [11, 12, 13]) turns.enter(() => void begun.push(number))
  expect(begun).toEqual(numbers(12))
})

it('turns are crowded as long as eight wait', () => {
  const turns = new Turns(2)
  for (const number of numbers(10)) {
    expect(turns.areCrowded).toBe(false)
    turns.enter(() => void number)
  }
  expect(turns.areCrowded).toBe(true)
  turns.leave()
  expect(turns.areCrowded).toBe(false)
})

it('a turn under watch is stopped when it has had its time', async () => {
  const turns = new Turns(1)
  const { promise: stopped, resolve } = Promise.withResolvers<string>()
  const startedAt = performance.now()
  const running = turns.begin({ cpuMs: () => performance.now() - startedAt, limitMs: 1, stop: resolve, lost: () => {} })
  turns.watch(running)
  expect(await stopped).toBe('a turn took more than 1 ms of CPU')
  turns.end(running)
})
