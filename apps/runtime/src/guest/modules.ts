import type { GuestRelease } from '../turn-layout.ts'
import { split } from './lists.ts'
import {
  NativeError,
  bareObject,
  indirectEval,
  objectHasOwn,
  objectKeys,
  stringIndexOf,
  stringLastIndexOf,
  stringStartsWith,
  substring
} from './primordials.ts'

/** The functions of one release and what they exported. A publish makes a new one beside the old. */
export interface Program {
  readonly functions: Record<string, LoadedFunction>
}

export interface LoadedFunction {
  readonly name: string
  readonly version: number
  /** In its wrapper. */
  readonly code: string
  /** Its code, compiled ahead. */
  wrapper: Wrapper | null
  state: 'new' | 'loading' | 'loaded'
  module: { exports: unknown }
  /** What `main` is, once the function was asked for it; null if it has none. */
  main: Main | null | undefined
}

export type Main = (...args: unknown[]) => unknown

/** What `require` finds besides the app's functions, by name. */
export type PlatformModules = Record<string, () => unknown>

type Require = (name: string) => unknown
type Wrapper = (exports: unknown, require: Require, module: object, filename: string, dirname: string) => void

export function makeProgram(release: GuestRelease, codes: string[]): Program {
  const functions = bareObject<LoadedFunction>()
  for (let i = 0; i < release.functions.length; i++) {
    const { name, version } = release.functions[i]!
    functions[name] = { name, version, code: codes[i]!, wrapper: null, state: 'new', module: { exports: {} }, main: undefined }
  }
  return { functions }
}

/**
 * The function's handler: its default export, else `main`, else the module itself if it is a function, as in laf.
 * Null if it has none. Throws what the function throws while it loads.
 */
export function mainOf(program: Program, loaded: LoadedFunction, platform: PlatformModules): Main | null {
  if (loaded.main === undefined) {
    const exports = exportsOf(program, loaded, platform) as Record<string, unknown> | null | undefined
    loaded.main = firstFunction(exports?.['default'], exports?.['main'], exports)
  }
  return loaded.main
}

/** As `mainOf`. @throws if there is none */
export function handlerOf(program: Program, loaded: LoadedFunction, platform: PlatformModules): Main {
  const main = mainOf(program, loaded, platform)
  if (main === null) throw new NativeError(`the function ${loaded.name} exports no main and no default function`)
  return main
}

function firstFunction(...candidates: unknown[]): Main | null {
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i]
    if (typeof candidate === 'function') return candidate as Main
  }
  return null
}

/** One instance for each name, shared by all importers. A function that threw while it loaded is tried again the next time. */
export function exportsOf(program: Program, loaded: LoadedFunction, platform: PlatformModules): unknown {
  if (loaded.state === 'loading') throw new NativeError(`circular import of the function ${loaded.name}`)
  if (loaded.state === 'new') {
    loaded.state = 'loading'
    loaded.module = { exports: {} }
    let ok = false
    try {
      evaluate(program, loaded, platform)
      ok = true
    } finally {
      loaded.state = ok ? 'loaded' : 'new'
    }
  }
  return loaded.module.exports
}

/** Modules that came with a release. They stay as they are in later ones: what was made of their classes goes on. */
export function addModules(platform: PlatformModules, modules: GuestRelease['modules']): void {
  for (let i = 0; i < modules.length; i++) {
    const { name, code } = modules[i]!
    if (objectHasOwn(platform, name)) continue
    platform[name] = lazily(name, code, platform)
    if (name === 'stream') platform['stream/promises'] = () => (platform['stream']!() as { promises: unknown }).promises
  }
}

/** Evaluated when it is first asked for. */
function lazily(name: string, code: string, platform: PlatformModules): () => unknown {
  let module: { exports: unknown } | null = null
  return () => {
    if (module === null) {
      module = { exports: {} }
      const wrapper = indirectEval(`(function(exports,require,module){${code}\n})\n//# sourceURL=node:${name}`) as (exports: unknown, require: Require, module: object) => void
      wrapper(module.exports, (wanted) => platformModule(platform, name, wanted), module)
    }
    return module.exports
  }
}

function platformModule(platform: PlatformModules, from: string, wanted: string): unknown {
  if (!objectHasOwn(platform, wanted)) throw notFound(wanted, from, `modules: ${names(platform)}`)
  return platform[wanted]!()
}

/** Compiles the function before it is needed: its first event does not wait for that. Runs nothing of it. */
export function compileAhead({ functions }: Program, name: string): void {
  const loaded = functions[name]
  if (loaded === undefined) return
  try {
    loaded.wrapper = compile(loaded)
  } catch {
    // Whoever needs it is told.
  }
}

function evaluate(program: Program, loaded: LoadedFunction, platform: PlatformModules): void {
  const { name, module } = loaded
  const wrapper = loaded.wrapper ?? compile(loaded)
  loaded.wrapper = null
  const require: Require = (wanted) => requireFrom(program, name, `${wanted}`, platform)
  wrapper(module.exports, require, module, `/app/${name}.js`, `/app/${directoryOf(name)}`)
}

function compile({ code }: LoadedFunction): Wrapper {
  return indirectEval(code) as Wrapper
}

/** `@/name`, `./name` and `../name` are functions of the app, anything else is a module of the platform. */
function requireFrom(program: Program, from: string, wanted: string, platform: PlatformModules): unknown {
  const bare = stringStartsWith(wanted, 'node:') ? substring(wanted, 5, wanted.length) : wanted
  if (objectHasOwn(platform, bare)) return platform[bare]!()
  const name = functionName(from, wanted)
  if (name !== null) {
    const found = program.functions[name] ?? program.functions[withoutExtension(name)]
    if (found !== undefined) return exportsOf(program, found, platform)
  }
  throw notFound(wanted, from, name === null ? `modules: ${names(platform)}` : `functions: ${names(program.functions)}`)
}

function functionName(from: string, wanted: string): string | null {
  if (stringStartsWith(wanted, '@/')) return substring(wanted, 2, wanted.length)
  if (!stringStartsWith(wanted, './') && !stringStartsWith(wanted, '../')) return null
  let path = directoryOf(from)
  const parts = split(wanted, '/')
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!
    if (part === '..') path = directoryOf(path)
    else if (part !== '.' && part !== '') path = path === '' ? part : `${path}/${part}`
  }
  return path
}

function directoryOf(name: string): string {
  const slash = stringLastIndexOf(name, '/')
  return slash < 0 ? '' : substring(name, 0, slash)
}

function withoutExtension(name: string): string {
  const dot = stringLastIndexOf(name, '.')
  return dot > 0 && stringIndexOf('.ts.js.mjs.cjs.mts.cts.', `${substring(name, dot, name.length)}.`) >= 0 ? substring(name, 0, dot) : name
}

function names(record: Record<string, unknown>): string {
  const keys = objectKeys(record)
  let text = ''
  for (let i = 0; i < keys.length && i < 40; i++) text += i === 0 ? keys[i] : `, ${keys[i]}`
  return text === '' ? 'none' : text
}

function notFound(wanted: string, from: string, there: string): Error {
  const error = new NativeError(`Cannot find module '${wanted}', required by the function ${from} (there are these ${there})`) as Error & { code: string }
  error.code = 'MODULE_NOT_FOUND'
  return error
}
