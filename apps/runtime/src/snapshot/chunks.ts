/**
 * The guest as one script, which the snapshot is made from, and what it `require`s as chunks beside it. What is in the snapshot is in the heap of every isolate,
 * its objects twice (isolated-vm makes a context that nobody uses); a chunk costs an isolate nothing until guest/chunks.ts evaluates it.
 *
 * Modules that the script imports are in the script, all others in chunks: esbuild splits those by who needs them (its `splitting`), and they get what they
 * import of the script's modules from there. A module is in one place only.
 */
import { build, type BuildOptions, type Metafile, type OnResolveArgs, type Plugin } from 'esbuild'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { natives } from '../guest/primordials.ts'
import { COMMON } from './bundle.ts'

export interface GuestCode {
  /** For the snapshot. */
  script: string
  /** All chunks, one behind the other: `__socklet_boot` takes them. */
  chunks: string
}

const GUEST = fileURLToPath(new URL('../guest/', import.meta.url))
const OPTIONS = { ...COMMON, metafile: true, absWorkingDir: GUEST, mainFields: ['main', 'module'] } satisfies BuildOptions

/** How chunks name what they get from elsewhere, in the code that esbuild gives. */
const OF_SNAPSHOT = 'snapshot:'
const OF_CHUNK = 'chunk:'

/** What chunks use of each module of the script, by its path. Numbers stand for both in the code: every isolate has the names. */
type Used = Map<string, Set<string>>

/** `entry`: other source than guest/main.ts, beside it. @throws Error if a module would be in two places, or what esbuild gives is not understood */
export async function bundleGuest(entry = "import './main.ts'"): Promise<GuestCode> {
  const scanned = new Set<string>()
  const inScript = modulesOf((await buildScript(entry, tableOf([], new Map()), scanned)).metafile)
  const misplaced = [...scanned].find((path) => inScript.has(path))
  if (misplaced !== undefined) throw new Error(`${misplaced} is both imported by the guest and required: it would be in the snapshot all the same`)
  const { chunks, used, modules } = await buildChunks(inScript, scanned)
  const ends = chunks.map((_, number) => chunks.slice(0, number + 1).join('').length)
  const { code, metafile } = await buildScript(entry, tableOf(ends, used), scanned)
  const double = [...modulesOf(metafile)].find((path) => modules.has(path))
  if (double !== undefined) throw new Error(`${double} is in a chunk, and what chunks use of the snapshot brings it there as well`)
  return { script: code, chunks: chunks.join('') }
}

async function buildScript(entry: string, table: string, required: Set<string>): Promise<{ code: string; metafile: Metafile }> {
  const tables: Plugin = {
    name: 'table',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^socklet:chunks$/ }, ({ path }) => ({ path, namespace: 'table' }))
      onLoad({ filter: /.*/, namespace: 'table' }, () => ({ contents: table, resolveDir: GUEST }))
    }
  }
  const { outputFiles, metafile } = await build({
    ...OPTIONS,
    stdin: { contents: entry, resolveDir: GUEST, sourcefile: 'entry.ts', loader: 'ts' },
    format: 'iife',
    // What is required is asked of guest/chunks.ts.
    banner: { js: '"use strict";(()=>{const chunkLoader={},require=(number)=>chunkLoader.require(number);' },
    footer: { js: '})()' },
    plugins: [tables, outside(new Set(), required)]
  })
  return { code: byNumber(outputFiles![0]!.text), metafile: metafile! }
}

interface Chunks {
  /** By number: what is required in the order in which it was found, then what several of these need. Each is an expression. */
  chunks: string[]
  used: Used
  /** All that is in them. */
  modules: Set<string>
}

async function buildChunks(inScript: Set<string>, required: Set<string>): Promise<Chunks> {
  const used: Used = new Map()
  // Chunks may require further ones.
  for (let count = 0; ;) {
    count = required.size
    const { outputFiles, metafile } = await build({
      ...OPTIONS,
      entryPoints: [...required].map((path) => ({ in: path, out: relative(GUEST, path) })),
      outdir: GUEST,
      format: 'esm',
      splitting: true,
      chunkNames: 'shared-[hash]',
      plugins: [outside(inScript, required)]
    })
    if (required.size > count) continue
    const files = new Map(outputFiles!.map(({ path, text }) => [path.replace(/\.js$/, ''), text]))
    const paths = [...new Set([...required, ...files.keys()])]
    return { chunks: paths.map((path) => byNumber(asFunction(path, files.get(path)!, paths, used))), used, modules: modulesOf(metafile!) }
  }
}

/** What is required is looked up whenever it is used, by the calls that keep `cloud.shared` among others: so it is asked for by its number and no name. */
function byNumber(code: string): string {
  return code.replaceAll(/\("chunk:(\d+)"\)/g, '($1)')
}

/** Leaves out what the guest's own `require` names, and, but for the script itself, what is in the script. */
function outside(inScript: Set<string>, required: Set<string>): Plugin {
  const asked = Symbol('asked')
  return {
    name: 'outside',
    setup: ({ onResolve, resolve: ask }) => onResolve({ filter: /^[^/]/ }, async ({ path, kind, resolveDir, importer, namespace, pluginData }: OnResolveArgs) => {
      if (pluginData === asked || kind === 'entry-point' || path.startsWith('socklet:')) return undefined
      const isRequired = kind === 'require-call' && importer.startsWith(GUEST)
      if (!isRequired && inScript.size === 0) return undefined
      // Our own imports say which file they mean: to ask esbuild takes most of the time.
      const found = path.startsWith('.') && path.endsWith('.ts') ? resolve(resolveDir, path) : (await ask(path, { kind, resolveDir, importer, namespace, pluginData: asked })).path
      if (isRequired) {
        required.add(found)
        return { path: OF_CHUNK + [...required].indexOf(found), external: true }
      }
      return inScript.has(found) ? { path: OF_SNAPSHOT + relative(GUEST, found), external: true } : undefined
    })
  }
}

/** Where chunks find it: the numbers of the module and of the name in it. */
function noteUsed(used: Used, path: string, name: string): [module: number, index: number] {
  const names = (used.get(path) ?? new Set()).add(name)
  used.set(path, names)
  return [[...used.keys()].indexOf(path), [...names].indexOf(name)]
}

/** An import of ours in minified code: a default, names or a namespace, and from where. */
const IMPORT = /import\s*(?:([\w$]+)\s*,?\s*)?(?:\{([^{}]*)\}|\*\s*as ([\w$]+))?\s*(?:from\s*)?"(snapshot:[^"]+|\.\.?\/[^"]+)";?/g
/** As packages do with each other: all of it. */
const REQUIRE = /[\w$]+\("snapshot:([^"]+)"\)/g
const EXPORT = /export\s*\{([^{}]*)\};?\s*$/

/** A module as a function of what it gets from elsewhere, which returns what it exports. `paths`: of all chunks, by number. */
function asFunction(path: string, code: string, paths: string[], used: Used): string {
  const exported = EXPORT.exec(code)
  if (exported === null) throw new Error(`the chunk ${path} exports nothing`)
  const modules = new Set<number>()
  const inSnapshot = (from: string, name: string): string => {
    const [module, index] = noteUsed(used, from, name)
    modules.add(module)
    return `$imported${module}[${index}]`
  }
  const body = code.slice(0, exported.index).replaceAll(IMPORT, (_, whole: string | undefined, names: string | undefined, namespace: string | undefined, from: string) => {
    if (namespace !== undefined) throw new Error(`the chunk ${path} imports all of ${from}`)
    const wanted = [...(whole === undefined ? [] : [['default', whole] as const]), ...pairsIn(names ?? '')]
    if (wanted.length === 0) return ''
    if (from.startsWith(OF_SNAPSHOT)) return `const ${wanted.map(([theirs, ours]) => `${ours}=${inSnapshot(from.slice(OF_SNAPSHOT.length), theirs)}`).join()};`
    const other = paths.indexOf(resolve(dirname(path), from).replace(/\.js$/, ''))
    return `const{${wanted.map(([theirs, ours]) => `${theirs}:${ours}`).join()}}=require("${OF_CHUNK}${other}");`
  }).replaceAll(REQUIRE, (_, from: string) => inSnapshot(from, 'default'))
  const returned = pairsIn(exported[1]!).map(([ours, theirs]) => `${theirs}:${ours}`).join()
  // Whatever tenants have put in their place: a chunk comes after them.
  const builtIns = Object.keys(natives).filter((builtIn) => new RegExp(`\\b${builtIn}\\b`).test(body))
  const imported = [...modules].map((module) => `,$imported${module}=$imported(${module})`).join('')
  return `(function($imported,require,$natives){"use strict";const{${builtIns.join()}}=$natives${imported};${body}return{${returned}}})\n//# sourceURL=socklet:guest\n`
}

/** `a as b, c` */
function pairsIn(names: string): (readonly [string, string])[] {
  return names.split(',').filter((each) => each.trim() !== '').map((each) => {
    const [one, other = one] = each.trim().split(/\s+as\s+/)
    return [one!, other!] as const
  })
}

function modulesOf({ outputs }: Metafile): Set<string> {
  return new Set(Object.values(outputs).flatMap(({ inputs }) => Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => resolve(GUEST, path))))
}

/** The module `socklet:chunks`, see guest/globals/libraries.d.ts. */
function tableOf(ends: number[], used: Used): string {
  const imports: string[] = []
  const modules = [...used].map(([path, names], module) => {
    const given = [...names].map((name, index) => {
      imports.push(`import { ${name} as m${module}_${index} } from ${JSON.stringify(resolve(GUEST, path))}`)
      return `m${module}_${index}`
    })
    return `() => [${given.join()}]`
  })
  return `${imports.join('\n')}
    export const exportsOfSnapshot = () => [${modules.join()}]
    export const ends = () => [${ends.join()}]`
}
