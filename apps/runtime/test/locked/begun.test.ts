import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { chooseSandbox, spawnIn } from '../../src/pool/sandbox.ts'

const sandbox = await chooseSandbox('auto', () => {})

// bwrap's process 1 waits for a word of bwrap before it begins. Of a worker that was killed in that moment it stayed for ever.
test.runIf(sandbox.kind === 'bwrap')('a process that is killed while it begins leaves nothing behind', async () => {
  const mark = `begun-${process.pid}-${Date.now()}`
  const left = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandOf(name).includes(mark))
  for (let round = 0; round < 20; round++) {
    const all = Array.from({ length: 10 }, () => spawnIn(sandbox, ['-e', `'${mark}'; setInterval(() => {}, 1000)`], []))
    for (const { kill } of all) {
      // At some moment of the few milliseconds in which bwrap starts it.
      for (const end = performance.now() + Math.random() * 2; performance.now() < end; );
      kill()
    }
    await Promise.all(all.map(({ exited }) => exited))
  }
  for (const end = Date.now() + 5_000; left().length > 0 && Date.now() < end; ) await sleep(50)
  expect(left().map(commandOf)).toEqual([])
}, 60_000)

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
