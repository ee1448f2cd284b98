/** Isolates as the worker makes them: the globals bundled, put into a snapshot, restored. */
import { randomBytes } from 'node:crypto'
import { buildSync } from 'esbuild'
import ivm from 'isolated-vm'

const GLOBALS = new URL('../../src/guest/globals/', import.meta.url).pathname

/** What the guest does with the globals, in short. `__host` is set after restoring; the guest proper keeps it in a closure. */
const ENTRY = `
  import { installGlobals, format, inspect, nodeModules, setRareModules } from './index.ts'
  import * as rare from './node/rare.ts'
  import { harden } from '../harden.ts'
  installGlobals(globalThis, { randomBytes: count => new Uint8Array(globalThis.__host(count)) })
  setRareModules(() => rare)
  const require = name => nodeModules[name.replace(/^node:/, '')]()
  Object.defineProperty(globalThis, '__socklet', { value: { format, inspect, nodeModules, require, harden } })
`

export function bundle(entry = ENTRY): string {
  const { outputFiles } = buildSync({
    stdin: { contents: entry, resolveDir: GLOBALS, loader: 'ts' },
    bundle: true,
    write: false,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    define: { 'process.env.NODE_ENV': '"production"' },
    format: 'iife',
    platform: 'browser',
    mainFields: ['main', 'module'],
    target: 'es2024'
  })
  return outputFiles[0]!.text
}

let snapshot: ivm.ExternalCopy<ArrayBuffer> | undefined

export const snapshotOf = (code: string): ivm.ExternalCopy<ArrayBuffer> => ivm.Isolate.createSnapshot([{ code }]) as ivm.ExternalCopy<ArrayBuffer>

export interface TestIsolate {
  isolate: ivm.Isolate
  context: ivm.Context
  /** Evaluates an expression (await allowed); only plain data comes out. */
  run(expression: string): Promise<unknown>
}

export async function createIsolate(from?: ivm.ExternalCopy<ArrayBuffer>): Promise<TestIsolate> {
  snapshot ??= from ?? snapshotOf(bundle())
  const isolate = new ivm.Isolate({ snapshot: from ?? snapshot, memoryLimit: 128 })
  const context = await isolate.createContext()
  await context.global.set('__host', new ivm.Callback((count: number) => {
    const bytes = randomBytes(count)
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + count)
  }))
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
