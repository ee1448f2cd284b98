/** Isolates as the worker makes them: the globals bundled, put into a snapshot, restored. */
import { randomBytes } from 'node:crypto'
import ivm from 'isolated-vm'
import { bundleGuest } from '../../src/snapshot/chunks.ts'
import type { Snapshot } from '../../src/worker/isolate.ts'

/** What the guest does with the globals, in short. `__host` is set after restoring; the guest proper keeps it in a closure. */
const ENTRY = `
  import { installGlobals } from './globals/index.ts'
  import { nodeModules } from './globals/node-modules.ts'
  import { harden } from './harden.ts'
  installGlobals(globalThis, { randomBytes: count => new Uint8Array(globalThis.__host(count)) })
  const inspection = () => require('./globals/inspect.ts')
  Object.defineProperty(globalThis, '__socklet', {
    value: { nodeModules, harden, require: name => nodeModules[name.replace(/^node:/, '')](), get format() { return inspection().format }, get inspect() { return inspection().inspect } }
  })
`
/** It tells what is in no snapshot where to find its text, as main.ts does. */
const CHUNKS = `
  import { setChunks } from './chunks.ts'
  globalThis.__setChunks = setChunks
`

export async function snapshotOf(entry = ENTRY): Promise<Snapshot> {
  const { script, chunks } = await bundleGuest(entry + CHUNKS)
  return { heap: ivm.Isolate.createSnapshot([{ code: script }]) as ivm.ExternalCopy<ArrayBuffer>, chunks: new ivm.ExternalCopy(chunks) }
}

export interface TestIsolate {
  isolate: ivm.Isolate
  context: ivm.Context
  /** Evaluates an expression (await allowed); only plain data comes out. */
  run(expression: string): Promise<unknown>
}

let usual: Promise<Snapshot> | undefined

export async function createIsolate(from?: Snapshot): Promise<TestIsolate> {
  const snapshot = from ?? await (usual ??= snapshotOf())
  const isolate = new ivm.Isolate({ snapshot: snapshot.heap, memoryLimit: 128 })
  const context = await isolate.createContext()
  await context.global.set('__host', new ivm.Callback((count: number) => {
    const bytes = randomBytes(count)
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + count)
  }))
  await context.evalClosure('__setChunks($0); delete globalThis.__setChunks', [snapshot.chunks.copyInto()])
  // As in the worker: what V8 adds on restoring is taken away before any tenant code runs.
  await context.eval('globalThis.__socklet?.harden()')
  return { isolate, context, run: expression => context.eval(expression, { promise: true, copy: true }) }
}

/**
 * The text that an expression gives, for comparing the isolate with Node: `JSON.stringify` of its value, or name, code and message of what it throws.
 * `require` is there in both.
 */
export const probe = (expression: string): string => `(async (require, inspect, format) => {
  const show = value => JSON.stringify(value, (key, item) => typeof item === 'bigint' ? item + 'n' : item === undefined ? '<undefined>'
    : typeof item === 'number' && (!Number.isFinite(item) || Object.is(item, -0)) ? '<' + (Object.is(item, -0) ? '-0' : item) + '>' : item)
  try { return show(await (${expression})) } catch (error) { return 'throws ' + error?.name + ' ' + (error?.code ?? '') }
})`

export const inIsolate = ({ run }: TestIsolate, expression: string): Promise<string> =>
  run(`${probe(expression)}(__socklet.require, __socklet.inspect, __socklet.format)`) as Promise<string>
