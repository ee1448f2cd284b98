import { CallError } from '@socklet/protocol'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { report } from '../src/report.ts'

let lines: string[] = []
const { write } = process.stderr
beforeEach(() => {
  lines = []
  process.stderr.write = (line) => lines.push(String(line)) > 0
})
afterEach(() => {
  process.stderr.write = write
})

it('a subject is told once a second', () => {
  for (let n = 0; n < 3; n++) report('the link of worker 1', 'closed')
  report('the link of worker 2', 'closed')
  expect(lines).toEqual(['gateway: the link of worker 1: closed\n', 'gateway: the link of worker 2: closed\n'])
})

it('what a pool has refused is told without the stack of reading its answer, another error with its own', () => {
  report('placing an app', new CallError('no_worker', 'no worker could be started'))
  report('a request failed', new TypeError('not foreseen'))
  expect(lines[0]).toBe('gateway: placing an app: no worker could be started\n')
  expect(lines[1]).toMatch(/^gateway: a request failed: TypeError: not foreseen\n {4}at /)
})

/** Each worker has a number of its own, and each one that was killed left its subject here for ever. */
it('subjects are not kept for ever', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heapAfter = (rounds: number): number => {
    for (let n = 0; n < rounds; n++) report(`${'worker'.repeat(100)} ${n} of ${rounds}`, 'closed')
    lines = []
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = heapAfter(2_000)
  expect(heapAfter(30_000) - before).toBeLessThan(4_000_000)
})
