import * as fc from 'fast-check'
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
  fc.record({ do: fc.constant('push' as const), bytes: fc.nat(2_000) }),
  fc.record({ do: fc.constant('settle' as const), from: fc.integer({ min: -5, max: 80 }), length: fc.oneof(fc.nat(12), fc.nat(0xffff_ffff)) })
)
const firsts = fc.oneof(fc.constant(0), fc.integer({ min: 0xffff_ffe0, max: 0xffff_ffff }), fc.integer({ min: 0x7fff_ffe0, max: 0x8000_0010 }))

test('an outbox is a list from which ranges of numbers are taken, also where the numbers wrap', () => {
  fc.assert(
    fc.property(firsts, fc.array(step, { maxLength: 200 }), (first, steps) => {
      const outbox = new Outbox<null>(first)
      let model: OutboxEvent<null>[] = []
      for (const one of steps) {
        if (one.do === 'push') {
          const event = eventOf(one.bytes)
          outbox.push(event)
          model.push(event)
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
        expect(outbox.bytes).toBe(model.reduce((sum, event) => sum + event.payload.byteLength + 128, 0))
      }
    })
  )
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
  const outbox = new Outbox<null>(0xffff_ffff)
  const events = [eventOf(0), eventOf(0)]
  for (const event of events) outbox.push(event)
  expect(events.map((event) => event.sequence)).toEqual([0xffff_ffff, 0])
  expect(outbox.get(0)).toBe(events[1])
  expect(outbox.settle(0)).toBe(events[1])
  expect(outbox.settle(0)).toBeUndefined()
})

test('numbers in use are skipped when they begin anew', () => {
  const numbers = new Numbers(0xffff_ffff)
  expect([numbers.take(), numbers.take(), numbers.take()]).toEqual([0xffff_ffff, 1, 2])
  const wrapped = new Numbers(1)
  const held = [wrapped.take(), wrapped.take()]
  wrapped.free(held[0]!)
  expect(wrapped.size).toBe(1)
})
