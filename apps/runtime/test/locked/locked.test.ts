import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { spawnLocked } from '../../src/pool/worker-process.ts'

const PROBE = fileURLToPath(new URL('probe.ts', import.meta.url))

it('code in a worker’s own Node context reaches no file, process, network, environment or inspector', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'socklet-locked-'))
  let reached = 0
  const tcp = createServer(() => reached++).listen(0, '127.0.0.1')
  const unix = createServer(() => reached++).listen(join(folder, 'x.sock'))
  await Promise.all([once(tcp, 'listening'), once(unix, 'listening')])
  const before = readFileSync(PROBE, 'utf8')
  const child = spawnLocked(PROBE, ['1', String((tcp.address() as AddressInfo).port), join(folder, 'x.sock')], [])
  let text = ''
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(child, 'close')
  tcp.close()
  unix.close()
  rmSync(folder, { recursive: true })
  const lines = text.split('\n').filter((line) => /: (done|refused)/.test(line))
  expect(text).toContain('\nend\n')
  expect(lines.length).toBeGreaterThan(30)
  expect(lines.filter((line) => line.endsWith(': done'))).toEqual([])
  expect(reached).toBe(0)
  expect(existsSync('/tmp/socklet-attack')).toBe(false)
  expect(readFileSync(PROBE, 'utf8')).toBe(before)
})
