import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { FragmentPace, FRAGMENTS_AT_A_TIME, ReadingShare, ReadingTurns, type Waiting } from '../src/reading-share.ts'
import { unmask } from '../src/unmask.ts'

afterEach(() => void vi.useRealTimers())

const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

/** Has so much to do, in pieces, whenever there is time. */
function worker(share: ReadingShare, pieces: number, work: number): Waiting & { done: number } {
  const self = {
    done: 0,
    goOn() {
      while (self.done < pieces && !share.isUsedUp) {
        share.use(work)
        self.done++
      }
      if (self.done < pieces) share.wait(self)
    }
  }
  return self
}

test('an app that has much to do does a share of it in each turn, and another one is not kept from its own', async () => {
  const turns = new ReadingTurns()
  const [busy, quiet] = [new ReadingShare(turns), new ReadingShare(turns)]
  const much = worker(busy, 2000, 1)
  much.goOn()
  expect(much.done).toBe(256)
  expect([busy.isUsedUp, quiet.isUsedUp]).toEqual([true, false])
  await turn()
  expect(much.done).toBe(512)
  while (much.done < 2000) await turn()
  await turn()
  expect(busy.isUsedUp).toBe(false)
})

// New connections a second that each send a MiB: a quiet app was answered 2.5 to 11 times as late as alone, with 512 KiB for a turn.
test('many bytes are read in small shares while other apps have something to read, and in large ones again after that', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const turns = new ReadingTurns()
  const [bulk, other] = [new ReadingShare(turns), new ReadingShare(turns)]
  const readsATurn = async (): Promise<number> => {
    let reads = 0
    for (; !bulk.isUsedUp; reads++) bulk.useBytes(64 * 1024)
    await turn()
    return reads
  }
  expect(await readsATurn()).toBe(8)
  other.use(1)
  await turn()
  for (let n = 0; n < 3; n++) expect(await readsATurn()).toBe(1)
  vi.advanceTimersByTime(101)
  expect(await readsATurn()).toBe(8)
})

test('those of one app who wait have their turns one after the other', async () => {
  const share = new ReadingShare(new ReadingTurns())
  share.use(1000)
  const workers = Array.from({ length: 4 }, () => worker(share, 300, 1))
  for (const each of workers) share.wait(each)
  await turn()
  expect(workers.map(({ done }) => done)).toEqual([256, 0, 0, 0])
  for (let n = 0; n < 4; n++) await turn()
  expect(workers.filter(({ done }) => done > 0)).toHaveLength(4)
  for (let n = 0; n < 8; n++) await turn()
  expect(workers.map(({ done }) => done)).toEqual([300, 300, 300, 300])
})

test('small fragments come at their rate, after a burst, whoever sends them', () => {
  vi.useFakeTimers()
  const pace = new FragmentPace()
  let taken = 0
  while (pace.take()) taken++
  expect(taken * FRAGMENTS_AT_A_TIME).toBeGreaterThan(1_900)
  expect(taken * FRAGMENTS_AT_A_TIME).toBeLessThan(2_200)
  const order: string[] = []
  const waiting = (name: string): Waiting => ({
    goOn: () => {
      order.push(name)
      pace.wait(waiting(name))
    }
  })
  for (const name of ['a', 'b', 'c']) pace.wait(waiting(name))
  vi.advanceTimersByTime(1_000)
  expect(order.length * FRAGMENTS_AT_A_TIME).toBeGreaterThan(18_000)
  expect(order.length * FRAGMENTS_AT_A_TIME).toBeLessThan(20_500)
  expect(order.slice(0, 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
  // Nobody overtakes those who wait.
  expect(pace.take()).toBe(false)
})

test('a mask is taken off any bytes, wherever they stand', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 3 }), (payload, mask, offset, first) => {
      const bytes = new Uint8Array(offset + payload.length + 9).fill(7)
      bytes.set(payload, offset)
      unmask(bytes.subarray(offset, offset + payload.length), mask, first)
      expect([...bytes.subarray(offset, offset + payload.length)]).toEqual([...payload].map((byte, index) => byte ^ mask[(first + index) % 4]!))
      expect([...bytes.subarray(0, offset), ...bytes.subarray(offset + payload.length)].every((byte) => byte === 7)).toBe(true)
    })
  )
})
