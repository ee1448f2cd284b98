import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform, type Process } from './support/platform.ts'
import { until } from './support/until.ts'

const NAMESPACES = ['net', 'pid', 'mnt', 'ipc', 'uts', 'user']
const ECHO = `export function main(ctx) { if (ctx.method === 'WebSocket:message') ctx.socket.send(ctx.params.data.toString()) }`

const namespaces = (pid: number): Record<string, string> => Object.fromEntries(NAMESPACES.map((name) => [name, readlinkSync(`/proc/${pid}/ns/${name}`)]))
const parent = (pid: number): number => Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
const capabilities = (pid: number): string[] => [...readFileSync(`/proc/${pid}/status`, 'utf8').matchAll(/^Cap(?:Prm|Eff|Bnd):\s+(\w+)/gm)].map((match) => match[1]!)

/** Gone, or a zombie that its new parent has not looked at yet. */
function isGone(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}

/** Has a worker, a spare one and one for trials. */
async function withAllKinds(platform: Platform): Promise<Process[]> {
  await platform.app('echo', { __websocket__: ECHO })
  const client = await connect(platform.url('echo'))
  client.send('hi')
  expect(await client.next()).toBe('hi')
  const all = await until('there are workers of all kinds', async () => {
    const found = (await platform.processes()).filter(({ kind }) => ['worker', 'spare', 'trial'].includes(kind))
    return new Set(found.map(({ kind }) => kind)).size === 3 ? found : null
  })
  await client.close()
  return all
}

const probe = await startPlatform()
const works = (await probe.admin('GET', '/platform')).json.sandbox === 'bwrap'
await probe.close()
const skipped = works ? '' : ` (skipped: ${/workers run without bwrap.*/.exec(probe.errors())?.[0]})`
// oxlint-disable-next-line no-console -- Who runs the tests has to know that something was left out.
if (skipped !== '') console.warn(`What workers are under bwrap is NOT tested:${skipped}`)

describe('the option sandbox', () => {
  it.skipIf(!works)(`auto: every kind of worker has namespaces of its own, is known by its own number, and leaves nothing behind${skipped}`, { timeout: 60_000 }, async () => {
    const platform = await startPlatform()
    const own = namespaces(process.pid)
    const workers = await withAllKinds(platform)
    expect((await platform.admin('GET', '/platform')).json.sandbox).toBe('bwrap')
    expect(platform.errors()).toMatch(/pool \| workers: \d+, each under bwrap, with at most \d+ MiB/)
    for (const { pid, rssBytes } of workers) {
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).toMatch(/^socklet-worker\0/)
      expect(rssBytes).toBeGreaterThan(30 * 2 ** 20)
      for (const [name, id] of Object.entries(namespaces(pid))) expect(id, name).not.toBe(own[name])
      expect(capabilities(pid)).toEqual(Array.from({ length: 3 }, () => '0'.repeat(16)))
    }
    const all = workers.flatMap(({ pid }) => [pid, parent(pid), parent(parent(pid))])
    expect(new Set(all).size).toBe(workers.length * 3)
    await platform.stop()
    await until('nothing is left', () => all.every(isGone))
    await platform.close()
  })

  it.skipIf(!works)(`auto: with the supervisor killed, nothing is left either, not even of a worker that hangs${skipped}`, { timeout: 60_000 }, async () => {
    const platform = await startPlatform()
    const workers = await withAllKinds(platform)
    const all = workers.flatMap(({ pid }) => [pid, parent(pid), parent(parent(pid))])
    // A worker ends with its links by itself, if it can.
    for (const { pid } of workers) process.kill(pid, 'SIGSTOP')
    await platform.kill()
    await until('nothing is left', () => all.every(isGone))
    await platform.close()
  })

  it('none: workers run in the namespaces of the platform', { timeout: 60_000 }, async () => {
    const platform = await startPlatform({ args: ['--sandbox', 'none'] })
    const workers = await withAllKinds(platform)
    expect((await platform.admin('GET', '/platform')).json.sandbox).toBe('none')
    for (const { pid } of workers) expect(namespaces(pid)).toEqual(namespaces(process.pid))
    await platform.close()
  })

  it('bwrap: the platform does not start without it, and says why; auto does, and says so', { timeout: 60_000 }, async () => {
    const empty = mkdtempSync(join(tmpdir(), 'socklet-path-'))
    await expect(startPlatform({ args: ['--sandbox', 'bwrap'], env: { PATH: empty } })).rejects.toThrow('workers cannot be run under bwrap: bwrap (bubblewrap) is not installed')
    const platform = await startPlatform({ env: { PATH: empty } })
    expect((await platform.admin('GET', '/platform')).json.sandbox).toBe('none')
    expect(platform.errors()).toContain("workers run without bwrap, behind Node's permission model alone: bwrap (bubblewrap) is not installed")
    await platform.close()
    rmSync(empty, { recursive: true })
  })
})
