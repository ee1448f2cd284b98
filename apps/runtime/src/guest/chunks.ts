import { ends, exportsOfSnapshot } from 'socklet:chunks'
import { bareArray, indirectEval, natives, substring } from './primordials.ts'

/**
 * Code that is not in the snapshot, in chunks that are evaluated when they are first asked for (snapshot/chunks.ts). Their text is outside of the isolate's heap,
 * once for all isolates of the worker. They come behind the code of the tenant: what stands at the top level of their files keeps to the rules of primordials.ts as well, but for the
 * globals in `natives`, which they see as they were.
 */
type Chunk = (imported: (module: number) => unknown[], require: (number: number) => unknown, builtIns: typeof natives) => object

/** What the bundler's `require` asks, see snapshot/chunks.ts. */
declare const chunkLoader: { require: (number: number) => unknown }
chunkLoader.require = exportsOf

const evaluated = bareArray<object>()
const modules = bareArray<unknown[]>()
let text = ''
let table: { ends: number[]; exports: (() => unknown[])[] } | undefined

export function setChunks(all: string): void {
  text = all
}

/** @throws what evaluating it throws: there may be no memory for it. It is tried again the next time. */
function exportsOf(number: number): object {
  return (evaluated[number] ??= evaluate(number))
}

function evaluate(number: number): object {
  table ??= { ends: ends(), exports: exportsOfSnapshot() }
  const start = number === 0 ? 0 : table.ends[number - 1]!
  const chunk = indirectEval(substring(text, start, table.ends[number]!)) as Chunk
  return chunk(imported, exportsOf, natives)
}

/** What chunks use of a module in the snapshot. */
function imported(module: number): unknown[] {
  return (modules[module] ??= table!.exports[module]!())
}
