import { DEFAULT_LIMITS } from '@socklet/config'
import type { LoadProblem } from '@socklet/protocol'
import { RecordWriter } from '@socklet/shared/testing'
import { Tag, VERSION } from '@socklet/shared/value-tags'
import { beforeAll, expect, it } from 'vitest'
import { makeGuest } from '../../src/snapshot/index.ts'
import { THREADS } from '../../src/threads.ts'
import { openSnapshot, type Isolate } from '../../src/worker/isolate.ts'
import { Spare } from '../../src/worker/spare.ts'
import { tryRelease } from '../../src/worker/trial.ts'
import { Turns } from '../../src/worker/turns.ts'

const turns = new Turns(THREADS)
let spare: Spare
beforeAll(async () => {
  spare = new Spare({ snapshot: openSnapshot((await makeGuest()).snapshot), turns, onCatastrophe: (message) => expect.unreachable(message) })
})

/** Tells how many values were there while it loaded. */
const TELLS = `throw new Error('values: ' + require('@lafjs/cloud').default.shared.size)`

async function tried(value: Uint8Array, heapMiB: number = DEFAULT_LIMITS.heapMiB): Promise<{ problems: LoadProblem[]; lost: boolean }> {
  const writer = new RecordWriter()
  writer.set(0, 1, Uint8Array.of(VERSION, Tag.SMALL), value)
  const functions = ['f', 'g'].map((name) => ({ name, version: 1, code: TELLS }))
  return await tryRelease({ release: { appid: 'test', functions, modules: [], env: {}, secret: 's', limits: { ...DEFAULT_LIMITS, heapMiB } }, names: ['f', 'g'], state: [writer.finish()], spare, turns })
}

/** `count` times the same bytes between these. */
function repeated(before: number[], bytes: number[], count: number, after: number[]): Uint8Array {
  return Uint8Array.from(Buffer.concat([Uint8Array.from(before), Buffer.alloc(bytes.length * count, Uint8Array.from(bytes)), Uint8Array.from(after)]))
}

const told = ({ problems }: { problems: LoadProblem[] }): string[] => problems.map(({ function: name, message }) => `${name} ${message}`)

it('functions are tried with the values that the app has', async () => {
  expect(told(await tried(Uint8Array.of(VERSION, Tag.TRUE)))).toEqual(['f Error: values: 1', 'g Error: values: 1'])
})

// Nobody watched: a publish waited for as long as that took, 15 to 20 s, and two of them kept all others waiting.
it('and without them where they are not restored in time', async () => {
  const start = performance.now()
  const slow = repeated([VERSION, Tag.SET], [Tag.BIGINT_PLUS, 1, 1], 40_000_000, [Tag.END])
  expect(told(await tried(slow, 1_024))).toEqual(['f Error: values: 0', 'g Error: values: 0'])
  expect(performance.now() - start).toBeLessThan(40_000)
}, 90_000)

// The trial failed, so that nothing could be published that makes them smaller.
it('and without them where they need more than the heap of the app', async () => {
  const large = repeated([VERSION, Tag.ARRAY, 0xff, 0xff, 0xff, 0x01], [Tag.OBJECT, Tag.END], 0x3f_ffff, [Tag.END])
  expect(told(await tried(large))).toEqual(['f Error: values: 0', 'g Error: values: 0'])
}, 30_000)

it('an isolate that cannot take the release is put away', async () => {
  const taken: Isolate[] = []
  const watched = { take: async (memoryMiB: number) => {
    const isolate = await spare.take(memoryMiB)
    taken.push(isolate)
    return isolate
  } } as Spare
  const release = { appid: 'test', functions: [], modules: [], env: null as unknown as Record<string, string>, secret: 's', limits: DEFAULT_LIMITS }
  await expect(tryRelease({ release, names: ['f'], state: [], spare: watched, turns })).rejects.toThrow('the functions cannot be loaded')
  await expect.poll(() => taken.map(({ disposed }) => disposed)).toEqual([true])
})
