import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { Bench, fixture, isAlive, until } from './process.ts'

const bench = new Bench()
afterEach(() => bench.cleanUp())

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const answer = await once(socket, 'connect').then(() => true, () => false)
  socket.destroy()
  return answer
}

const FAST = { firstDelayMs: 100, longestDelayMs: 300 }

describe('a process that dies', () => {
  it('is started again with growing delays, at the same port', async () => {
    const platform = bench.platform(await bench.folder(), { timing: FAST })
    await platform.ready()
    const started = platform.err.length
    for (const [index, delay] of [100, 200, 300, 300].entries()) {
      const killed = performance.now()
      process.kill(platform.pids('gateway-0').at(-1)!, 'SIGKILL')
      await platform.line(/^gateway-0 \| pid/, index + 2)
      expect(performance.now() - killed, platform.err.join('\n')).toBeGreaterThanOrEqual(delay)
      await platform.line(/^supervisor \| gateway-0 is ready again/, index + 1)
      for (const name of ['pool', 'gateway-0']) await platform.line(new RegExp(`^${name} \\| platform true`), index + 2)
      expect(await platform.line(/was killed by/, index + 1)).toBe(`supervisor | gateway-0 was killed by SIGKILL, and starts again in ${delay} ms`)
    }
    const ports = new Set(platform.err.filter((line) => line.startsWith('gateway-0 | port')))
    expect(ports.size).toBe(1)
    // The others live on, and know when something is missing.
    expect(platform.pids('pool')).toHaveLength(1)
    expect(platform.pids('console')).toHaveLength(1)
    const told = platform.err.slice(started).filter((line) => line.startsWith('pool | platform'))
    expect(told).toEqual(Array.from({ length: 8 }, (_, index) => `pool | platform ${index % 2 === 1}`))
  })

  it('starts with the first delay again when it was up for long', async () => {
    const platform = bench.platform(await bench.folder(), { timing: { ...FAST, resetMs: 50 } })
    await platform.ready()
    for (const count of [1, 2, 3]) {
      // No shorter than it says: it may be longer, and is long enough then as well.
      await sleep(100)
      process.kill(platform.pids('pool').at(-1)!, 'SIGKILL')
      expect(await platform.line(/^supervisor \| pool was killed/, count)).toContain('again in 100 ms')
      await platform.line(/^supervisor \| pool is ready again/, count)
    }
  })

  it('is missed until all are back', async () => {
    const platform = bench.platform(await bench.folder(), { timing: FAST })
    await platform.ready()
    process.kill(platform.pids('pool').at(-1)!, 'SIGKILL')
    process.kill(platform.pids('gateway-0').at(-1)!, 'SIGKILL')
    await platform.line(/^console \| platform true/, 2)
    const told = platform.err.filter((line) => line.startsWith('console | platform'))
    expect(told[0]).toBe('console | platform true')
    expect(told.at(-1)).toBe('console | platform true')
    expect(told.slice(1, -1).length).toBeGreaterThanOrEqual(2)
    expect(told.slice(1, -1).every((line) => line.endsWith('false'))).toBe(true)
  })
})

describe('stopping', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('on %s goes from the gateways to the console to the pool', async (signal) => {
    const slow = { FIXTURE_PORT: '0', FIXTURE_STOP_MS: '200' }
    const platform = bench.platform(await bench.folder(), {
      children: [fixture('pool'), fixture('gateway', 'gateway-0', slow), fixture('gateway', 'gateway-1', slow), fixture('console', 'console', slow)]
    })
    await platform.ready()
    platform.kill(signal)
    expect(await platform.exit).toBe(0)
    const after = platform.err.slice(platform.err.findIndex((line) => line.includes('stop within')))
    const of = (kind: string): string[] => after.filter((line) => line.startsWith(kind) && line.includes('stop'))
    expect(of('gateway')).toHaveLength(4)
    expect(of('gateway')[0]).toMatch(/stop within 1000/)
    expect([...of('gateway'), ...of('console'), ...of('pool')]).toEqual(after.filter((line) => line.includes('stop')))
    expect(of('pool')).toEqual(['pool | stop within 1000', 'pool | stopped'])
    await platform.line(/^pool \| platform false/)
    expect(platform.allPids.filter(isAlive)).toEqual([])
  })

  it('kills what does not stop in time, and goes on', async () => {
    const platform = bench.platform(await bench.folder(), {
      children: [fixture('pool'), fixture('gateway', 'gateway-0', { FIXTURE_MODE: 'stuck' })],
      timing: { graceMs: 200 }
    })
    await platform.ready()
    const started = performance.now()
    platform.kill('SIGTERM')
    expect(await platform.exit).toBe(0)
    expect(performance.now() - started).toBeGreaterThanOrEqual(2200)
    expect(platform.err).toContain('supervisor | gateway-0 did not stop in time and was killed')
    expect(platform.err).toContain('pool | stopped')
    expect(platform.allPids.filter(isAlive)).toEqual([])
  })

  it('is done by force on a second signal', async () => {
    const platform = bench.platform(await bench.folder(), { children: [fixture('pool'), fixture('gateway', 'gateway-0', { FIXTURE_MODE: 'stuck' })], timing: { graceMs: 10_000 } })
    await platform.ready()
    platform.kill('SIGINT')
    await platform.line(/^gateway-0 \| stop/)
    // npm passes Ctrl-C on, so that it comes twice: that is not yet a second one.
    platform.kill('SIGINT')
    await sleep(700)
    expect(platform.allPids.every(isAlive)).toBe(true)
    platform.kill('SIGINT')
    expect(await platform.exit).toBe(1)
    await until(() => !platform.allPids.some(isAlive) || undefined, () => 'end of all processes')
    expect(platform.err).not.toContain('pool | stopped')
  })

  it('does not wait for a process that is to start again', async () => {
    const platform = bench.platform(await bench.folder(), { timing: { firstDelayMs: 60_000, longestDelayMs: 60_000 } })
    await platform.ready()
    process.kill(platform.pids('pool').at(-1)!, 'SIGKILL')
    await platform.line(/^supervisor \| pool was killed/)
    platform.kill('SIGTERM')
    expect(await platform.exit).toBe(0)
    expect(platform.pids('pool')).toHaveLength(1)
  })

  it('comes to pass when whoever read the output is gone', async () => {
    const platform = bench.platform(await bench.folder())
    await platform.ready()
    expect(platform.allPids.every(isAlive)).toBe(true)
    const port = Number(/\d+$/.exec(await platform.line(/^console \| port/))![0])
    const killed = platform.pids('console').at(-1)!
    platform.closeOutput()
    process.kill(killed, 'SIGKILL')
    await until(() => !isAlive(killed) || undefined, () => 'end of the console')
    // The supervisor has tried to say so, and has started another one, at the same port.
    await expect.poll(() => isListening(port), { timeout: 20_000 }).toBe(true)
    expect(isAlive(platform.pids('pool')[0]!)).toBe(true)
    platform.kill('SIGTERM')
    expect(await platform.exit).toBe(0)
  })
})

describe('the output of a process', () => {
  it('has its name before each line, and cannot command the terminal', async () => {
    const platform = bench.platform(await bench.folder(), { children: [fixture('pool', 'pool', { FIXTURE_SAY: 'a\u001b[31mred\u0007\tb' })] })
    await platform.ready()
    expect(platform.err).toContain('pool | a\ufffd[31mred\ufffd\tb')
  })
})
