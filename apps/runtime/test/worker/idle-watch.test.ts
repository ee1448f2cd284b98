import { afterEach, describe, expect, it } from 'vitest'
import { IdleWatch } from '../../src/worker/idle-watch.ts'

let watch: IdleWatch | null = null
afterEach(() => watch?.stop())

async function until(isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 5_000; !isSo(); ) {
    if (Date.now() > end) throw new Error('in vain')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** With the times at which it said so. */
function start(idleMs: () => number, isIdle: () => boolean = () => true): number[] {
  const said: number[] = []
  watch = new IdleWatch({ isIdle, idleMs, onIdle: () => void said.push(performance.now()) })
  return said
}

/** Timers may be a millisecond early. */
const EARLY = 2

describe('the watch for an idle app', () => {
  it('says so after the time, and again after as long again', async () => {
    const begun = performance.now()
    const said = start(() => 40)
    await until(() => said.length === 2)
    expect(said[0]! - begun).toBeGreaterThanOrEqual(40 - EARLY)
    expect(said[1]! - said[0]!).toBeGreaterThanOrEqual(40 - EARLY)
  })

  it('counts from the last work, looks when the rest of the time is over, and says nothing between', async () => {
    const said = start(() => 300)
    const begun = performance.now()
    await until(() => performance.now() - begun > 20)
    const worked = performance.now()
    watch!.worked()
    await until(() => said.length === 1)
    expect(said[0]! - worked).toBeGreaterThanOrEqual(300 - EARLY)
    // Not a whole time after its first look, which came 280 ms after the work.
    expect(said[0]! - worked).toBeLessThan(300 + 150)
  })

  it('says nothing while there is something to do, and counts from when there was', async () => {
    let idle = false
    let looks = 0
    const said = start(() => 40, () => {
      looks++
      return idle
    })
    await until(() => looks === 3)
    expect(said).toEqual([])
    const free = performance.now()
    idle = true
    await until(() => said.length === 1)
    expect(said[0]! - free).toBeGreaterThan(0)
  })

  it('takes another time at once', async () => {
    let idleMs = 60_000
    const said = start(() => idleMs)
    idleMs = 30
    watch!.limitChanged()
    await until(() => said.length === 1)
  })

  it('says nothing once it is stopped', async () => {
    const said = start(() => 20)
    watch!.stop()
    const other: number[] = []
    const control = new IdleWatch({ isIdle: () => true, idleMs: () => 40, onIdle: () => void other.push(0) })
    await until(() => other.length === 1)
    control.stop()
    expect(said).toEqual([])
  })
})
