import type { BuildFailure, BuildOptions, BuildResult, Message } from 'esbuild'
import { PlatformFault, UserFault } from '../errors.ts'
import { log } from '../log.ts'
import { loadEsbuild, type Esbuild } from './esbuild.ts'
import { Slots } from './slots.ts'

export interface Compiled {
  /** CommonJS. */
  code: string
  /** The functions that it imports with an import statement, as it is written there: `./x`, `@/x`. `import type` and unused imports are gone. */
  imports: string[]
}

export interface Mapped {
  code: string
  /** A source map (ECMA-426), JSON. */
  map: string
}

export interface CompileError {
  /** From 1. */
  line: number
  /** From 1. */
  column: number
  message: string
}

/** Compiles of all apps at the same time. One app has one at a time. */
const AT_A_TIME = 2
const TIMEOUT_MS = 10_000
/** Errors that are told; the first ones are what matters. */
const MAX_ERRORS = 20
/** Types, comments and constants change the size, but nothing honest grows like this. */
const MAX_GROWTH = 8
const ROOM_TO_GROW = 64 * 1024

const OPTIONS = {
  write: false,
  bundle: false,
  metafile: true,
  platform: 'neutral',
  target: ['node26', 'es2024'],
  // No file of this machine decides how a tenant's code is compiled.
  tsconfigRaw: '{}',
  charset: 'utf8',
  sourcemap: false,
  keepNames: false,
  logLevel: 'silent',
  logLimit: MAX_ERRORS
} as const satisfies BuildOptions

const COMMONJS = { format: 'cjs', supported: { 'dynamic-import': false } } as const satisfies BuildOptions

type Outcome = { kind: 'done'; result: BuildResult } | { kind: 'errors'; errors: Message[] } | { kind: 'timeout' } | { kind: 'gone' }

/**
 * Compiles functions with esbuild, which works in a child process of ours.
 *
 * Sources are hostile: some overflow esbuild's stack, some its memory, some take minutes. Then the child is
 * replaced, which fails whatever it was compiling for others too. So what was lost is compiled again, alone
 * in the child, and only what is lost once more is refused.
 *
 * We use `build` of one file without bundling where `transform` would make the same code, because `build`
 * tells the imports as the parser has seen them. To find them in the text would take another parser.
 */
export class Compiler {
  readonly #timeoutMs: number
  readonly #slots = new Slots(AT_A_TIME)
  #esbuild: Promise<Esbuild> | undefined
  /** Rejects what the present child compiles. `stop()` of esbuild leaves it waiting for ever. */
  #child = newChild()
  #stopped = false

  constructor(options: { timeoutMs?: number } = {}) {
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  }

  /** @throws UserFault `compile_error` with CompileErrors as details, `compile_timeout`, `too_complex`; PlatformFault `internal` */
  async compile(name: string, source: string): Promise<Compiled> {
    const cjs = await this.#build(name, source, COMMONJS)
    const [output] = cjs.outputFiles!
    const bytes = output!.contents.byteLength
    if (bytes > Buffer.byteLength(source) * MAX_GROWTH + ROOM_TO_GROW) throw new UserFault('too_complex', `${name} becomes far larger when it is compiled: ${bytes} bytes`)
    // As CommonJS, every import is a call of `require`. Which of them were static only the module form tells.
    const imports = importsOf(cjs).some(isOwnPath) ? importsOf(await this.#build(name, source, { format: 'esm' }), 'import-statement').filter(isOwnPath) : []
    return { code: output!.text, imports }
  }

  /** What `compile` makes of it, and where in the source it comes from. @throws as `compile` */
  async map(name: string, source: string): Promise<Mapped> {
    const { outputFiles } = await this.#build(name, source, { ...COMMONJS, sourcemap: 'external', sourcesContent: false, outfile: 'function.js' })
    const [map, code] = outputFiles!.toSorted((a, b) => b.path.length - a.path.length)
    return { code: code!.text, map: map!.text }
  }

  /** Starts the child before somebody waits for it, and tells our log if it cannot run. */
  async warmUp(): Promise<void> {
    await this.compile('warm-up', '1').catch((error: unknown) => (this.#stopped ? undefined : log('the compiler does not run', error)))
  }

  /** Ends the child, and what it has in hand. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#esbuild !== undefined) this.#replace(await this.#esbuild, this.#child)
  }

  async #build(name: string, source: string, options: BuildOptions): Promise<BuildResult> {
    let outcome = await this.#slots.run(1, () => this.#attempt(name, source, options))
    if (outcome.kind === 'gone') outcome = await this.#slots.run(AT_A_TIME, () => this.#attemptAlone(name, source, options))
    if (outcome.kind === 'done') return outcome.result
    if (outcome.kind === 'timeout') throw new UserFault('compile_timeout', `${name} takes more than ${this.#timeoutMs} ms to compile`)
    if (outcome.kind === 'gone') throw new UserFault('too_complex', `the compiler ran out of memory or stack: ${name} nests too deeply, or is too large`)
    throw refused(name, outcome.errors.map(compileError))
  }

  /** @throws PlatformFault if it is not the source's fault: then nothing compiles */
  async #attemptAlone(name: string, source: string, options: BuildOptions): Promise<Outcome> {
    const outcome = await this.#attempt(name, source, options)
    if (outcome.kind === 'gone' && (await this.#attempt('probe', '1', options)).kind !== 'done') throw new PlatformFault('internal', 'the compiler does not run, not even on a source of one character')
    return outcome
  }

  async #attempt(name: string, source: string, options: BuildOptions): Promise<Outcome> {
    this.#esbuild ??= loadEsbuild()
    const esbuild = await this.#esbuild
    if (this.#stopped) throw new PlatformFault('unavailable', 'the console is stopping')
    const child = this.#child
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      this.#replace(esbuild, child)
    }, this.#timeoutMs)
    try {
      const build = esbuild.build({ ...OPTIONS, ...options, stdin: { contents: source, loader: 'ts', sourcefile: name } })
      return { kind: 'done', result: await Promise.race([build, child.promise]) }
    } catch (error) {
      const { errors } = error as BuildFailure
      if (Array.isArray(errors) && errors.length > 0) return { kind: 'errors', errors }
      this.#replace(esbuild, child)
      return { kind: timedOut ? 'timeout' : 'gone' }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends a child that is lost, once, with all that it has in hand. The next build starts another. */
  #replace(esbuild: Esbuild, child: PromiseWithResolvers<never>): void {
    if (child !== this.#child) return
    this.#child = newChild()
    void esbuild.stop()
    child.reject(new Error('the child of the compiler was replaced'))
  }
}

function newChild(): PromiseWithResolvers<never> {
  const child = Promise.withResolvers<never>()
  // Nobody may be waiting when it is rejected.
  child.promise.catch(() => {})
  return child
}

function importsOf(result: BuildResult, kind?: string): string[] {
  const [output] = Object.values(result.metafile!.outputs)
  return output!.imports.filter((found) => kind === undefined || found.kind === kind).map((found) => found.path)
}

/** Imports that may mean a function of the same app, see imports.ts. */
function isOwnPath(specifier: string): boolean {
  return /^(?:@|\.\.?)\//.test(specifier)
}

function refused(name: string, errors: CompileError[]): UserFault {
  return new UserFault('compile_error', `${name} does not compile: line ${errors[0]!.line}: ${errors[0]!.message}`, errors)
}

function compileError({ text, location }: Message): CompileError {
  const message = text.startsWith('Top-level await') ? 'await is not possible at the top level of a function: move it into main, or into __init__' : text
  if (location === null) return { line: 1, column: 1, message }
  // esbuild counts bytes, an editor characters.
  const before = Buffer.from(location.lineText).subarray(0, location.column).toString()
  return { line: location.line, column: before.length + 1, message }
}
