import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Bench, fixture, isAlive, until } from './process.ts'

const bench = new Bench()
afterEach(() => bench.cleanUp())

const places = (lines: string[], patterns: RegExp[]): number[] => patterns.map((pattern) => lines.findIndex((line) => pattern.test(line)))
const ascending = (numbers: number[]): boolean => numbers.every((number, index) => number >= 0 && (index === 0 || number > numbers[index - 1]!))

describe('starting', () => {
  it('goes from the pool to the gateways to the console, each when the one before is ready', async () => {
    const platform = bench.platform(await bench.folder(), {
      children: [
        fixture('pool', 'pool', { FIXTURE_READY_MS: '200' }),
        fixture('gateway', 'gateway-0', { FIXTURE_PORT: '0', FIXTURE_READY_MS: '200' }),
        fixture('gateway', 'gateway-1', { FIXTURE_PORT: '0' }),
        fixture('console', 'console', { FIXTURE_PORT: '0' })
      ]
    })
    await platform.ready()
    const names = ['pool', 'gateway-0', 'gateway-1', 'console']
    const steps = names.flatMap((name) => [new RegExp(`^${name} \\| pid`), new RegExp(`^${name} \\| is ready`)])
    expect(ascending(places(platform.err, steps))).toBe(true)
    for (const name of names) await platform.line(new RegExp(`^${name} \\| platform true`))
    expect(platform.err.join('\n')).not.toContain('platform false')
  })

  it('gives the port of the first gateway to the others', async () => {
    const platform = bench.platform(await bench.folder(), {
      children: [fixture('gateway', 'gateway-0', { FIXTURE_PORT: '0' }), fixture('gateway', 'gateway-1', { FIXTURE_PORT: '0' })]
    })
    await platform.ready()
    const [first] = /\d+$/.exec(await platform.line(/gateway-0 \| port/))!
    expect(await platform.line(/gateway-1 \| port/)).toBe(`gateway-1 | port ${first}`)
  })

  it('prints the URLs, the token, a line to try the demo with, and ready', async () => {
    const folder = await bench.folder()
    const platform = bench.platform(folder)
    await platform.ready()
    const portOf = async (name: string): Promise<string> => /\d+$/.exec(await platform.line(new RegExp(`^${name} \\| port`)))![0]
    const gateway = `127.0.0.1:${await portOf('gateway-0')}`
    const token = (await readFile(join(folder, 'admin-token'), 'utf8')).trim()
    expect(platform.out).toEqual([
      expect.stringMatching(/^Socklet \d/),
      `  gateway      http://${gateway}`,
      `  console      http://127.0.0.1:${await portOf('console')}`,
      `  admin token  ${token} (kept in the data folder)`,
      `  data         ${folder}`,
      'Try the demo:',
      `  npx node -e "const s = new WebSocket('ws://${gateway}/demo/__websocket__'); s.onmessage = (m) => console.log(m.data); s.onopen = () => s.send('hi')"`,
      'ready'
    ])
  })

  it('says nothing of the demo when there is none', async () => {
    const platform = bench.platform(await bench.folder(), { args: ['--no-demo'] })
    await platform.ready()
    expect(platform.out.join('\n')).not.toContain('demo')
  })

  it('fails when a process ends before it is ready, and shows its last lines', async () => {
    const platform = bench.platform(await bench.folder(), { children: [fixture('pool'), fixture('gateway', 'gateway-0', { FIXTURE_MODE: 'fails' }), fixture('console')] })
    expect(await platform.exit).toBe(1)
    expect(platform.out).toEqual([])
    const summary = platform.err.indexOf('socklet: cannot start: gateway-0 exited with code 3')
    expect(platform.err.slice(summary + 1)).toEqual(Array.from({ length: 20 }, (_, index) => `  reason ${index + 11}`))
    expect(platform.err).toContain('pool | stopped')
    expect(platform.pids('console')).toEqual([])
    expect(platform.allPids.filter(isAlive)).toEqual([])
  })

  it('fails when a process is not ready in time', async () => {
    const platform = bench.platform(await bench.folder(), { children: [fixture('pool'), fixture('gateway', 'gateway-0', { FIXTURE_MODE: 'never' })], timing: { readyMs: 1000 } })
    expect(await platform.exit).toBe(1)
    expect(platform.err).toContain('socklet: cannot start: gateway-0 was not ready within 1 s')
    expect(platform.allPids.filter(isAlive)).toEqual([])
  })

  it('fails when a process that was ready ends while others start', async () => {
    const platform = bench.platform(await bench.folder(), {
      children: [fixture('pool', 'pool', { FIXTURE_MODE: 'dies-later' }), fixture('gateway', 'gateway-0', { FIXTURE_READY_MS: '5000' })]
    })
    expect(await platform.exit).toBe(1)
    expect(platform.err).toContain('socklet: cannot start: pool exited with code 4')
  })

  it('can be broken off', async () => {
    const platform = bench.platform(await bench.folder(), { children: [fixture('pool'), fixture('gateway', 'gateway-0', { FIXTURE_READY_MS: '10000' })] })
    await platform.line(/^gateway-0 \| pid/)
    platform.kill('SIGTERM')
    expect(await platform.exit).toBe(0)
    expect(platform.out).toEqual([])
    expect(platform.err.join('\n')).not.toContain('cannot start')
    expect(platform.allPids.filter(isAlive)).toEqual([])
  })
})

describe('the data folder', () => {
  it('is not shared by two platforms, and is free when one is dead', async () => {
    const folder = await bench.folder()
    const first = bench.platform(folder)
    await first.ready()
    const second = bench.platform(folder)
    expect(await second.exit).toBe(1)
    expect(second.err).toEqual([`socklet: another Socklet runs with the data folder ${folder}: stop it, or give this one another with --data`])

    const pids = first.allPids
    first.kill('SIGKILL')
    expect(await first.exit).toBe('SIGKILL')
    // Nobody told them to: they saw that their supervisor was gone.
    await until(() => !pids.some(isAlive) || undefined, () => `end of ${pids.filter(isAlive).join(', ')}`)
    const third = bench.platform(folder)
    await third.ready()
    third.kill('SIGTERM')
    expect(await third.exit).toBe(0)
    await bench.platform(folder).ready()
  })

  it('keeps an admin token that only its owner can read', async () => {
    const folder = await bench.folder()
    const file = join(folder, 'admin-token')
    const tokenLine = async (): Promise<string> => {
      const platform = bench.platform(folder)
      await platform.ready()
      platform.kill('SIGTERM')
      await platform.exit
      return platform.out.find((line) => line.includes('admin token'))!
    }
    const first = await tokenLine()
    const token = (await readFile(file, 'utf8')).trim()
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(first).toContain(token)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await chmod(file, 0o644)
    expect(await tokenLine()).toBe(first)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await writeFile(file, 'my-own\n')
    expect(await tokenLine()).toContain('  admin token  my-own (kept')
    await writeFile(file, '')
    const line = await tokenLine()
    expect(line).toContain((await readFile(file, 'utf8')).trim())
    expect(line).toMatch(/ [\w-]{43} \(/)
  })

  it('takes no token from there that no request could carry', async () => {
    const folder = await bench.folder()
    await writeFile(join(folder, 'admin-token'), 'my own\n')
    const platform = bench.platform(folder)
    expect(await platform.exit).toBe(1)
    expect(platform.err).toEqual([`socklet: cannot use the data folder ${folder}: the token in the file admin-token is none: it takes visible ASCII characters without spaces`])
  })

  it('keeps no token that was given', async () => {
    const folder = await bench.folder()
    const platform = bench.platform(folder, { env: { SOCKLET_ADMIN_TOKEN: 'given' } })
    await platform.ready()
    expect(platform.out).toContain('  admin token  given (from SOCKLET_ADMIN_TOKEN)')
    await expect(stat(join(folder, 'admin-token'))).rejects.toThrow('ENOENT')
    // It said so of a token from the command line, too.
    const other = bench.platform(await bench.folder(), { args: ['--admin-token', 'given'] })
    await other.ready()
    expect(other.out).toContain('  admin token  given (from --admin-token)')
  })
})
