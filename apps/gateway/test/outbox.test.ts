import * as fc from 'fast-check'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { Numbers } from '../src/numbers.ts'
import { Outbox, type OutboxEvent } from '../src/outbox.ts'

function eventOf(bytes: number): OutboxEvent<null> {
  return {
    type: 3, flags: 0, gateway: 0, app: 1, generation: 0, connection: 1, sequence: 0,
    payload: new Uint8Array(bytes), peer: null, sentOn: null, deliveries: 0, began: false, running: false, deaths: 0
  }
}

const step = fc.oneof(
  fc.record({ do: fc.constant('push' as const), bytes: fc.nat(2_000), count: fc.oneof(fc.constant(1), fc.nat(40)) }),
  fc.record({ do: fc.constant('settle' as const), from: fc.integer({ min: -5, max: 80 }), length: fc.oneof(fc.nat(12), fc.nat(0xffff_ffff)) })
)
const firsts = fc.oneof(fc.constant(0), fc.integer({ min: 0xffff_ffe0, max: 0xffff_ffff }), fc.integer({ min: 0x7fff_ffe0, max: 0x8000_0010 }))

test('an outbox is a list from which ranges of numbers are taken, also where the numbers wrap', () => {
  fc.assert(
    fc.property(firsts, fc.array(step, { maxLength: 200 }), (first, steps) => {
      const all = { bytes: 7 }
      const outbox = new Outbox<null>(all, first)
      let model: OutboxEvent<null>[] = []
      for (const one of steps) {
        if (one.do === 'push') {
          for (let n = 0; n < one.count; n++) {
            const event = eventOf(one.bytes)
            outbox.push(event)
            model.push(event)
          }
        } else {
          const from = (first + one.from) >>> 0
          const settled: OutboxEvent<null>[] = []
          outbox.settleRange(from, (from + one.length) >>> 0, (event) => settled.push(event))
          const inRange = (event: OutboxEvent<null>): boolean => ((event.sequence - from) >>> 0) <= one.length
          expect(settled).toEqual(model.filter(inRange))
          model = model.filter((event) => !inRange(event))
        }
        expect([...outbox.unsettled()]).toEqual(model)
        expect(outbox.count).toBe(model.length)
        expect(outbox.bytes).toBe(model.reduce((sum, event) => sum + event.payload.byteLength + 400, 0))
        expect(all.bytes).toBe(7 + outbox.bytes)
      }
    })
  )
})

test('an event that a hundred thousand pass is found where it was, and so are those behind it', () => {
  const outbox = new Outbox<null>()
  const slow = [eventOf(1), eventOf(2)]
  for (const event of slow) outbox.push(event)
  let inFlight: OutboxEvent<null>[] = []
  for (let n = 0; n < 1_000; n++) {
    const pushed = Array.from({ length: 100 }, () => eventOf(3))
    for (const event of pushed) outbox.push(event)
    for (const event of inFlight) expect(outbox.settle(event.sequence)).toBe(event)
    inFlight = pushed
  }
  expect([...outbox.unsettled()]).toEqual([...slow, ...inFlight])
  expect(outbox.settle(1)).toBe(slow[1])
  expect(outbox.get(0)).toBe(slow[0])
  expect([...outbox.unsettled()]).toEqual([slow[0], ...inFlight])
  outbox.clear()
  expect(outbox.get(0)).toBeUndefined()
  expect([...outbox.unsettled()]).toEqual([])
})

test('events that are settled while all are looked at are not looked at', () => {
  const outbox = new Outbox<null>()
  for (let n = 0; n < 5; n++) outbox.push(eventOf(1))
  const seen: number[] = []
  for (const event of outbox.unsettled()) {
    seen.push(event.sequence)
    outbox.settle(event.sequence + 1)
  }
  expect(seen).toEqual([0, 2, 4])
})

test('what has settled is free with the next small collection, also where the outbox itself is among the old objects', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void
  const outbox = new Outbox<null>()
  for (let n = 0; n < 8; n++) outbox.push(eventOf(1))
  collect()
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (let n = 0; n < 8_000; n++) {
    outbox.push(eventOf(64 * 1024))
    outbox.settle(n)
    if (n % 200 !== 0) continue
    // The first one frees in the background, the second waits for it.
    for (let time = 0; time < 2; time++) collect({ type: 'minor' })
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  expect(most).toBeLessThan(12 * 1024 * 1024)
})

test('a range of all numbers costs no more steps than there are events', () => {
  const outbox = new Outbox<null>()
  for (let n = 0; n < 5; n++) outbox.push(eventOf(1))
  expect(outbox.settleRange(1, 0xffff_fff0, () => {})).toBe(1)
  expect(outbox.settleRange(0, 0xffff_ffff, () => {})).toBe(0)
  expect(outbox.settleRange(0, 0xffff_ffff, () => {})).toBe(0)
  expect(outbox.count).toBe(0)
})

test('sequence numbers go up by one, and settled events are not found again', () => {
  const outbox = new Outbox<null>({ bytes: 0 }, 0xffff_ffff)
  const events = [eventOf(0), eventOf(0)]
  for (const event of events) outbox.push(event)
  expect(events.map((event) => event.sequence)).toEqual([0xffff_ffff, 0])
  expect(outbox.get(0)).toBe(events[1])
  expect(outbox.settle(0)).toBe(events[1])
  expect(outbox.settle(0)).toBeUndefined()
})

test('numbers begin anew after the largest', () => {
  const numbers = new Numbers(0xffff_ffff)
  expect([numbers.take(), numbers.take(), numbers.take()]).toEqual([0xffff_ffff, 1, 2])
})
