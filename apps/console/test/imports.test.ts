import { expect, test } from 'vitest'
import { findCycle, importedFunction } from '../src/publish/imports.ts'
import { Serial } from '../src/publish/serial.ts'
import { Slots } from '../src/publish/slots.ts'

test.each([
  ['a', '@/b', 'b'],
  ['a', './b', 'b'],
  ['dir/a', './b', 'dir/b'],
  ['dir/a', '../b', 'b'],
  ['dir/sub/a', '../../b', 'b'],
  ['dir/a', '@/b', 'b'],
  ['a', './b.ts', 'b'],
  ['a', '@/dir/../b', 'b'],
  ['a', 'b', null],
  ['a', '@/nobody', null],
  ['a', '../b', null],
  ['a', '/b', null],
  ['a', '@lafjs/cloud', null]
])('%s importing %s means %s', (from, specifier, name) => {
  const names = new Set(['b', 'dir/b'])
  expect(importedFunction(from, specifier, (found) => names.has(found))).toBe(name)
})

test('circles are found wherever they are, and only circles', () => {
  const graph: Record<string, string[]> = { a: ['b', 'c'], b: ['d'], c: ['d'], d: [], e: ['f'], f: ['g'], g: ['f'], self: ['self'] }
  const importsOf = (name: string): string[] => graph[name]!
  expect(findCycle(['a', 'b', 'c', 'd'], importsOf)).toBe(null)
  expect(findCycle(['a', 'e'], importsOf)).toEqual(['f', 'g', 'f'])
  expect(findCycle(['self'], importsOf)).toEqual(['self', 'self'])
})

test('a long chain overflows no stack', () => {
  const last = 100_000
  expect(findCycle(['0'], (name) => (Number(name) < last ? [String(Number(name) + 1)] : []))).toBe(null)
  expect(findCycle(['0'], (name) => [String((Number(name) + 1) % last)])).toHaveLength(last + 1)
})

test('slots: so many at a time, in order, and what takes all is alone', async () => {
  const slots = new Slots(2)
  const running = new Set<string>()
  const seen: string[][] = []
  const work = (name: string) => async (): Promise<void> => {
    running.add(name)
    seen.push([...running])
    await new Promise((resolve) => setTimeout(resolve, 5))
    running.delete(name)
  }
  await Promise.all([slots.run(1, work('a')), slots.run(1, work('b')), slots.run(2, work('alone')), slots.run(1, work('c'))])
  expect(seen).toEqual([['a'], ['a', 'b'], ['alone'], ['c']])
  await expect(slots.run(2, () => Promise.reject(new Error('x')))).rejects.toThrow('x')
  await slots.run(2, async () => {})
})

test('serial: one after the other for a key, also after a failure', async () => {
  const serial = new Serial()
  const order: number[] = []
  const work = (n: number, ms: number) => async (): Promise<number> => {
    await new Promise((resolve) => setTimeout(resolve, ms))
    order.push(n)
    if (n === 2) throw new Error('two')
    return n
  }
  const results = await Promise.allSettled([serial.run('a', work(1, 10)), serial.run('a', work(2, 5)), serial.run('a', work(3, 0)), serial.run('b', work(4, 0))])
  expect(order).toEqual([4, 1, 2, 3])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
})
