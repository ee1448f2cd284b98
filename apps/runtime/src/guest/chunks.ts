import { exportsOfSnapshot, places } from 'socklet:chunks'
import { bareObject, indirectEval, natives, substring } from './primordials.ts'

/**
 * Code that is not in the snapshot, in chunks that are evaluated when they are first asked for (snapshot/chunks.ts). Their text is outside of the isolate's heap,
 * once for all isolates of the worker. They come behind the code of the tenant: what stands at the top level of their files keeps to the rules of primordials.ts as well, but for the
 * globals in `natives`, which they see as they were.
 */
type Chunk = (imported: (module: number) => object, require: (name: string) => unknown, builtIns: typeof natives) => object

/** What the bundler's `require` asks, see snapshot/chunks.ts. */
declare const chunkLoader: { require: (name: string) => unknown }
chunkLoader.require = exportsOf

const evaluated = bareObject<object>()
let text = ''
let table: { places: ReturnType<typeof places>; exports: ReturnType<typeof exportsOfSnapshot> } | undefined

export function setChunks(all: string): void {
  text = all
}

/** @throws what evaluating it throws: there may be no memory for it. It is tried again the next time. */
function exportsOf(name: string): object {
  return (evaluated[name] ??= evaluate(name))
}

function evaluate(name: string): object {
  table ??= { places: places(), exports: exportsOfSnapshot() }
  const place = table.places[name]!
  const chunk = indirectEval(substring(text, place[0], place[1])) as Chunk
  return chunk(imported, exportsOf, natives)
}

/** What chunks use of a module in the snapshot. */
function imported(module: number): object {
  return table!.exports[module]!()
}
