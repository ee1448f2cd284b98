/**
 * The load generator, a process of its own. Its argument is what to do, as JSON; it prints one JSON object a line,
 * the last of them is the result. It ends when its standard input ends, so that it never outlives who started it.
 */
import { once } from 'node:events'
import { broadcast } from './kinds/broadcast.ts'
import { churn } from './kinds/churn.ts'
import { echo } from './kinds/echo.ts'
import { first } from './kinds/first.ts'
import { hold } from './kinds/hold.ts'
import { probe } from './kinds/probe.ts'
import { rate } from './kinds/rate.ts'
import { wake } from './kinds/wake.ts'
import type { LoadLine, LoadResult, LoadSpec, Target } from './spec.ts'

const { target, spec } = JSON.parse(process.argv[2] ?? '{}') as { target: Target; spec: LoadSpec }

process.stdin.resume().on('end', () => process.exit(1))
// A terminal sends Ctrl-C to the whole group: who started this decides.
process.on('SIGINT', () => {})

const failed = Promise.withResolvers<never>()
const fail = (why: string): void => failed.reject(new Error(why))

try {
  await say({ result: await Promise.race([run(), failed.promise]) })
  process.exit(0)
} catch (error) {
  await say({ error: (error as Error).message })
  process.exit(1)
}

function run(): Promise<LoadResult> {
  switch (spec.kind) {
    case 'echo':
      return echo(target, spec, fail)
    case 'rate':
      return rate(target, spec, fail)
    case 'broadcast':
      return broadcast(target, spec, fail)
    case 'churn':
      return churn(target, spec, fail)
    case 'hold':
      return hold(target, spec, fail, holding)
    case 'probe':
      return probe(target, spec, fail, say)
    case 'first':
      return first(target, spec)
    case 'wake':
      return wake(target, spec, fail, holding)
  }
}

/** Anything on the standard input ends the holding. */
async function holding(count: number): Promise<void> {
  await say({ holding: count })
  await once(process.stdin, 'data')
}

function say(line: LoadLine): Promise<void> {
  return new Promise((done) => process.stdout.write(`${JSON.stringify(line)}\n`, () => done()))
}
