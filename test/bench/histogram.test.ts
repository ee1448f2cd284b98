import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Histogram } from './load/histogram.ts'

/** Half a bucket, one part in 128, and the unit of 0.1 µs. */
const isNear = (value: number, exact: number): boolean => Math.abs(value - exact) <= exact / 128 + 0.0001

it('gives quantiles as sorting gives them, to 0.8 %', () => {
  const times = fc.array(fc.oneof(fc.double({ min: 0, max: 0.01, noNaN: true }), fc.double({ min: 0, max: 10, noNaN: true }), fc.double({ min: 0, max: 100_000, noNaN: true })), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(times, fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1), (list, share) => {
      const histogram = new Histogram()
      for (const ms of list) histogram.record(ms)
      const exact = list.toSorted((a, b) => a - b)[Math.ceil(list.length * share) - 1]!
      const value = histogram.quantile(share)
      if (!isNear(value, exact)) throw new Error(`${value} in place of ${exact}`)
    })
  )
})

it('counts, keeps the greatest and begins anew', () => {
  const histogram = new Histogram()
  for (const ms of [0.05, 1, 2]) histogram.record(ms)
  expect(histogram.latency()).toMatchObject({ count: 3, max: 2000 })
  expect(isNear(histogram.latency().p50 / 1000, 1)).toBe(true)
  histogram.clear()
  expect(histogram.latency()).toEqual({ count: 0, p50: 0, p90: 0, p99: 0, max: 0 })
})

it('takes times beyond all measure', () => {
  const histogram = new Histogram()
  histogram.record(1e9)
  histogram.record(-1)
  expect(histogram.quantile(1)).toBeGreaterThan(200_000)
  expect(histogram.quantile(0.5)).toBeLessThan(0.001)
})
