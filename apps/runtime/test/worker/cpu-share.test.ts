import { FrameType } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { THREADS } from '../../src/threads.ts'
import { CpuShare } from '../../src/worker/cpu-share.ts'
import { acknowledged, makeHarness, type Harness } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

describe('the CPU of an app', () => {
  it('is what it has not used of the last minute, then its share of each moment', () => {
    const share = new CpuShare(6_000)
    expect(share.waitMs).toBe(0)
    share.spend(6_050)
    // A tenth of each moment is its own.
    expect(share.waitMs).toBeGreaterThan(400)
    expect(share.waitMs).toBeLessThanOrEqual(500)
    share.limit(12_000)
    expect(share.waitMs).toBe(0)
    share.limit(1_000)
    expect(share.waitMs).toBeGreaterThan(250_000)
  })

  it('that has used it all goes on, slowly, and its log says so once; another app does not notice', async () => {
    const burn = `exports.main = ({ params, socket }) => { if (!params) return; for (const end = Date.now() + 40; Date.now() < end;); socket.send('done') }`
    const slow = await harness.start(burn, { limits: { minuteCpuMs: 100 } })
    const other = await harness.start(`exports.main = ({ params, socket }) => { if (params) socket.send('quick') }`)
    slow.open(1)
    other.open(1)
    for (let i = 0; i < 200; i++) slow.event(FrameType.MESSAGE, 1, 'x')
    await slow.until(() => slow.logs().length > 0)
    expect(slow.logs()[0]!.message).toMatch(/slowed down.*minuteCpuMs/)
    const before = slow.texts().length
    expect(before).toBeLessThan(20)
    for (let i = 0; i < 20; i++) {
      const sequence = other.event(FrameType.MESSAGE, 1, 'x')
      await other.until((frames) => acknowledged(frames).includes(sequence))
    }
    expect(slow.logs()).toHaveLength(1)
    expect(slow.texts().length).toBeLessThan(before + 3)
    expect(slow.downs).toEqual([])
  })

  it('comes back: what waits is delivered when there is some', async () => {
    const slow = await harness.start(`exports.main = ({ params, socket }) => { if (!params) return; for (const end = Date.now() + 30; Date.now() < end;); socket.send('done') }`, { limits: { minuteCpuMs: 6_000, turnCpuMs: 60_000 } })
    slow.open(1)
    const first = slow.event(FrameType.MESSAGE, 1, 'x')
    await slow.until((frames) => acknowledged(frames).includes(first))
    for (let i = 0; i < 5; i++) slow.event(FrameType.MESSAGE, 1, 'x')
    await slow.until((frames) => acknowledged(frames).length === 7)
  })

  it('in endless turns does not keep others waiting until they are ended, though as many of them run as there are cores', async () => {
    const endless = `exports.main = ({ params }) => { if (params) for (;;); }`
    const hogs = await Promise.all(Array.from({ length: THREADS - 1 }, () => harness.start(endless, { limits: { turnCpuMs: 5_000 } })))
    const quiet = await harness.start(`exports.main = ({ params, socket }) => { if (params) socket.send('quick') }`)
    for (const test of [...hogs, quiet]) test.open(1)
    await quiet.until((frames) => acknowledged(frames).length === 1)
    const before = process.cpuUsage()
    for (const hog of hogs) hog.event(FrameType.MESSAGE, 1, 'x')
    await quiet.until(() => process.cpuUsage(before).user > 20_000 * hogs.length)
    quiet.event(FrameType.MESSAGE, 1, 'x')
    await quiet.until(() => quiet.texts().length === 1)
    expect(hogs.flatMap(({ downs }) => downs)).toEqual([])
    // Their threads are wanted by other tests.
    for (const { app } of hogs) app.dispose()
  })
})
