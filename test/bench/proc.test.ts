import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { until } from '../support/until.ts'
import { cpuUsOf, memoryOf, parseStat, pidsOf } from './proc.ts'

it('reads a line whose name has spaces and parentheses', () => {
  const line = '42 (a) b (c)) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5 6 7 8'
  expect(parseStat(line)).toEqual({ pid: 42, parent: 7, cpuUs: 1_270_000 })
  expect(() => parseStat('nothing')).toThrow('not a line')
})

/** A process that starts another one of its own; each takes half a second of CPU and 50 MiB, and stays. */
const BUSY = `
  const { spawn } = require('node:child_process')
  const memory = Buffer.alloc(50 * 1024 * 1024, 1)
  const deep = Number(process.argv[1])
  if (deep > 0) spawn(process.execPath, ['-e', process.argv[2], deep - 1, process.argv[2]], { stdio: 'inherit' })
  while (process.cpuUsage().user < 500_000);
  console.log(process.pid)
  process.stdin.resume().on('end', () => process.exit())
  globalThis.memory = memory`

it.runIf(process.platform === 'linux')('sums CPU and memory of a process and all that it has started, ended ones too', async () => {
  const child = spawn(process.execPath, ['-e', BUSY, '1', BUSY], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  try {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    await until('both have done their work', () => text.trim().split('\n').length === 2)
    const pids = text.trim().split('\n').map(Number)
    expect(pidsOf(child.pid!).toSorted()).toEqual(pids.toSorted())
    const cpu = cpuUsOf(child.pid!)
    expect(cpu).toBeGreaterThanOrEqual(1_000_000)
    // Of the right order: a machine that is short of memory charges for that, too.
    expect(cpu).toBeLessThan(60_000_000)
    expect(memoryOf(child.pid!)).toBeGreaterThan(100 * 2 ** 20)
    process.kill(pids.find((pid) => pid !== child.pid)!)
    await until('the inner one is gone', () => pidsOf(child.pid!).length === 1)
    expect(cpuUsOf(child.pid!)).toBeGreaterThanOrEqual(cpu)
    expect(memoryOf(child.pid!)).toBeLessThan(100 * 2 ** 20 + memoryOf(process.pid))
  } finally {
    child.stdin.end()
    await exited
  }
  expect(pidsOf(child.pid!)).toEqual([])
  expect(cpuUsOf(child.pid!)).toBe(0)
})
