import { expect, test } from 'vitest'
import { HISTORY_BYTES, planForgetting } from '../src/publish-plan.ts'

const past = (name: string, count: number, bytes: number): { name: string; version: number; bytes: number }[] => Array.from({ length: count }, (_, index) => ({ name, version: count - index, bytes }))

test('up to the bound nothing is forgotten', () => {
  expect(planForgetting([])).toEqual({ versions: [], names: [] })
  expect(planForgetting(past('f', 4, HISTORY_BYTES / 4))).toEqual({ versions: [], names: [] })
})

test('beyond it the oldest are, and the names of which none is left', () => {
  const all = [...past('f', 3, HISTORY_BYTES / 4), ...past('g', 2, HISTORY_BYTES / 4), ...past('h', 1, 1)]
  expect(planForgetting(all)).toEqual({ versions: [all[4], all[5]], names: ['h'] })
})

// They take room of their own, and would be without end.
test('versions of no size count as well', () => {
  const all = past('f', 5_000, 0)
  expect(planForgetting(all)).toEqual({ versions: all.slice(4_096), names: [] })
})
