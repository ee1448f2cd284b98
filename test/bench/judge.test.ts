import { describe, expect, it } from 'vitest'
import { table } from './report.ts'
import { judge, median, type Line } from './row.ts'

const line = (reach: Line['reach'], base: number[] | undefined, socklet: number[]): Line => ({ measure: 'something', unit: 'µs', socklet, reach, ...(base === undefined ? {} : { base }) })

describe('judge', () => {
  it('takes the median of what the rounds give, each compared with its own base', () => {
    const { base, socklet, score, ok } = judge(line({ of: 'ratio', most: 1.4 }, [10, 20, 100], [12, 26, 300]), false)
    expect({ base, socklet, score, ok }).toEqual({ base: 20, socklet: 26, score: 1.3, ok: true })
  })

  it.each([
    [{ of: 'ratio', most: 1.4 }, 15, false, true],
    [{ of: 'ratio', most: 1.4 }, 28.1, false, false],
    [{ of: 'ratio', least: 0.8 }, 7.9, false, true],
    [{ of: 'ratio', least: 0.8 }, 3.9, false, false],
    [{ of: 'difference', most: 5 }, 16, false, true],
    [{ of: 'difference', most: 5 }, 30, false, true],
    [{ of: 'difference', most: 5 }, 31, false, false],
    [{ of: 'value', most: 20 }, 21, false, true],
    [{ of: 'value', most: 20 }, 41, false, false],
    [{ of: 'value', most: 20 }, 20, true, true]
  ] as const)('%o of %d against 10: within it %s, within twice of it %s', (reach, value, full, quick) => {
    expect(judge(line(reach, [10], [value]), false).ok).toBe(full)
    expect(judge(line(reach, [10], [value]), true).ok).toBe(quick)
  })

  it('judges nothing where nothing is to be reached', () => {
    expect(judge(line(null, [10], [1000]), false)).toMatchObject({ score: 100, ok: true })
    expect(judge(line(null, undefined, [1000]), false)).toMatchObject({ base: null, score: 1000, ok: true })
  })

  it('does not let nothing pass', () => {
    expect(() => judge(line(null, [], []), false)).toThrow('the median of nothing')
    expect(judge(line({ of: 'ratio', most: 1 }, [0], [0]), false).ok).toBe(false)
  })
})

it('median', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
})

it('table says what was missed and what failed', () => {
  const missed = line({ of: 'ratio', most: 1.4 }, [10], [20])
  const text = table([{ row: 'one', lines: [{ line: missed, medians: judge(missed, false) }] }, { row: 'two', lines: [], error: 'it broke\nbadly' }])
  expect(text.split('\n').map((row) => row.replaceAll(/ {2,}/g, ' | '))).toEqual([
    'measure | compared with | Socklet | result | reach',
    'something | ws 10.0 | 20.0 µs | 2.00 × | ≤ 1.4 × ws | MISSED',
    'two | it broke | FAILED'
  ])
})
