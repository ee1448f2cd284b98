import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ADDON, NO_SANDBOX, chooseSandbox, spawnIn, type Sandbox, type Spawned } from '../../src/pool/sandbox.ts'
import { spawnLocked } from '../../src/pool/worker-process.ts'
import { bundleWorker } from '../../src/snapshot/bundle.ts'

const PROBE = fileURLToPath(new URL('probe.ts', import.meta.url))
const OUTSIDE = fileURLToPath(new URL('outside.ts', import.meta.url))
const READABLE = join(ADDON[0]!, 'package.json')
/** Programs come through a pipe, and these have to know where they are from. */
const located = (program: string, path: string): string => program.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
const probe = located(await bundleWorker(PROBE), PROBE)
const outsideProgram = located(stripTypeScriptTypes(readFileSync(OUTSIDE, 'utf8')), OUTSIDE)
const startOutside = (sandbox: Sandbox, ...only: string[]): Spawned =>
  spawnIn(sandbox, ['--input-type=module', '-', folder, String(port), socket, String(process.pid), READABLE, ...only], ['pipe'], outsideProgram)

let why = ''
const found = await chooseSandbox('auto', (message) => (why = message))
const bwrap = found.kind === 'bwrap' ? found : null
const skipped = bwrap === null ? ` (skipped: ${why})` : ''
// oxlint-disable-next-line no-console -- Who runs the tests has to know that something was left out.
if (skipped !== '') console.warn(`What workers are under bwrap is NOT tested:${skipped}`)

let folder: string
let reached: number
let port: number
let socket: string
let servers: ReturnType<typeof createServer>[]
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'socklet-locked-'))
  writeFileSync(join(folder, 'admin-token'), 'secret')
  reached = 0
  socket = join(folder, 'x.sock')
  servers = [createServer(() => reached++).listen(0, '127.0.0.1'), createServer(() => reached++).listen(socket)]
  await Promise.all(servers.map((server) => once(server, 'listening')))
  port = (servers[0]!.address() as AddressInfo).port
})
afterEach(() => {
  for (const server of servers) server.close()
  rmSync(folder, { recursive: true })
})

/** The attempts, by what came of them, and all that was written. */
async function outcomes({ child, exited }: Spawned): Promise<{ done: string[]; refused: string[]; text: string }> {
  let text = ''
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await Promise.all([once(child, 'close'), exited])
  const named = (end: RegExp): string[] => text.split('\n').filter((line) => end.test(line)).map((line) => line.slice(0, line.lastIndexOf(': ')))
  expect(text).toContain('\nend\n')
  return { done: named(/: done$/), refused: named(/: refused/), text }
}

describe.each([
  ['without bwrap', NO_SANDBOX],
  [`under bwrap${skipped}`, bwrap]
])('a worker %s', (_, sandbox) => {
  it.skipIf(sandbox === null)('reaches no file, process, network, environment or inspector from its own Node context', async () => {
    const before = readFileSync(PROBE, 'utf8')
    const { done, refused } = await outcomes(spawnLocked(sandbox!, probe, ['1', String(port), socket], []))
    expect(done).toEqual([])
    expect(refused.length).toBeGreaterThan(30)
    expect(reached).toBe(0)
    expect(existsSync('/tmp/socklet-attack')).toBe(false)
    expect(readFileSync(PROBE, 'utf8')).toBe(before)
  })
})

describe.skipIf(bwrap === null)(`native code in a worker under bwrap${skipped}`, () => {
  it('reaches no file, process or network either', async () => {
    const before = readFileSync(READABLE, 'utf8')
    const { done, refused } = await outcomes(startOutside(bwrap!))
    expect(done.filter((name) => !name.startsWith('control: '))).toEqual([])
    expect(done.length).toBe(3)
    expect(refused.length).toBeGreaterThan(25)
    expect(reached).toBe(0)
    expect(existsSync('/tmp/socklet-attack')).toBe(false)
    expect(readFileSync(READABLE, 'utf8')).toBe(before)
  })

  it('would reach them all without it: the attempts are real', async () => {
    const harmless = ['read the admin token', 'list the data folder', 'read the users', 'list processes', 'start a shell', 'connect by TCP', 'connect to a Unix socket', 'see another process']
    const { done } = await outcomes(startOutside(NO_SANDBOX, ...harmless))
    expect(done).toEqual(harmless)
    expect(reached).toBe(2)
  })
})

describe('a process under bwrap', () => {
  it.skipIf(bwrap === null)(`has its number, and how it ended, known outside${skipped}`, async () => {
    for (const [signal, end] of [['SIGKILL', (pid: number) => void process.kill(pid, 'SIGKILL')], ['SIGKILL', null], ['SIGSEGV', (pid: number) => void process.kill(pid, 'SIGSEGV')]] as const) {
      const spawned = spawnIn(bwrap!, ['-e', 'setInterval(() => {}, 1000); process.stderr.write("up")'], ['pipe'])
      await once(spawned.child.stderr!, 'data')
      const pid = spawned.pid()
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]).toBe(process.execPath)
      if (end === null) spawned.kill()
      else end(pid)
      expect(await spawned.exited).toMatchObject({ reason: signal, signal, ok: false })
      await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false)
    }
  })

  it('that does not come up has said why', async () => {
    const { exited } = spawnIn({ kind: 'bwrap', command: ['/nowhere/bwrap'] }, [], [])
    expect(await exited).toMatchObject({ ok: false, reason: expect.stringContaining('ENOENT') })
  })
})

describe('the choice of a sandbox', () => {
  it('is none where there is no bwrap, which is said; and an error where bwrap is asked for', async () => {
    const path = process.env['PATH']
    process.env['PATH'] = folder
    try {
      let said = ''
      expect(await chooseSandbox('auto', (message) => (said = message))).toBe(NO_SANDBOX)
      expect(said).toContain('bwrap (bubblewrap) is not installed')
      await expect(chooseSandbox('bwrap', () => {})).rejects.toThrow('workers cannot be run under bwrap')
      // One that does not work.
      writeFileSync(join(folder, 'bwrap'), '#!/bin/sh\necho "no namespaces here" >&2\nexit 1\n', { mode: 0o755 })
      await expect(chooseSandbox('bwrap', () => {})).rejects.toThrow('no namespaces here')
      expect(await chooseSandbox('none', () => {})).toBe(NO_SANDBOX)
    } finally {
      process.env['PATH'] = path
    }
  })
})
