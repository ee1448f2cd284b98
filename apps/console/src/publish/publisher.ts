import { hash } from 'node:crypto'
import type { App, Catalog, NewVersion, PublishRequest, PublishResult } from '@socklet/catalog'
import { MAX_FRAME_BYTES } from '@socklet/protocol'
import { effectiveLimits } from '@socklet/config'
import { PlatformFault, UserFault } from '../errors.ts'
import type { PoolClient } from '../pool-client.ts'
import type { Source, SourcePlaces } from '../stacks/source-places.ts'
import type { CompileError, Compiler } from './compiler.ts'
import { dependentsOf, findCycle, importedFunction } from './imports.ts'
import { Serial } from './serial.ts'
import { Shapes, allFunctions, shapeOf, type Shape } from './shapes.ts'
import { Trial } from './trial.ts'

/** A function as somebody wants it published. */
export type Draft = Pick<NewVersion, 'name' | 'code' | 'methods' | 'description' | 'changelog'>

export interface Change {
  put: Draft[]
  remove?: string[]
  /** Removes all functions that are not in `put`. */
  prune?: boolean
}

/** A draft as it will be stored. */
interface CompiledDraft {
  version: NewVersion
  shape: Shape
}

/** Publishes of one app, the one that runs included. Each may take long. */
const MAX_WAITING = 32
/** All functions of an app go to its worker in one frame, with its environment and what JSON adds. */
const MAX_WIRE_BYTES = MAX_FRAME_BYTES - 16 * 1024 * 1024

/**
 * The one way to change what an app runs: check, compile, store, put in force. Publishes of one app happen
 * one after the other, so that each is checked against what the one before has left.
 *
 * To store and to put in force is short, and has a lane of its own. There what the operator does waits for no publish
 * that is being checked or that waits for that: nobody can keep an app from being suspended or deleted by publishing to it.
 */
export class Publisher {
  readonly #catalog: Catalog
  readonly #pool: PoolClient
  readonly #compiler: Compiler
  readonly #shapes: Shapes
  readonly #trial: Trial
  /** Publishes, from their first check on. */
  readonly #publishes = new Serial(MAX_WAITING)
  /** All that is stored and put in force. */
  readonly #changes = new Serial()

  constructor(options: { catalog: Catalog; pool: PoolClient; compiler: Compiler; places: SourcePlaces }) {
    this.#catalog = options.catalog
    this.#pool = options.pool
    this.#compiler = options.compiler
    this.#shapes = new Shapes(options.catalog, options.compiler)
    this.#trial = new Trial(options.pool, options.places)
  }

  /**
   * Carries out a change of the app's that is no publish, such as of its state, and puts it in force.
   * `inTurn`: after the publishes that wait, and refused if they are too many, as all is that a tenant does.
   * @throws UserFault `busy` if it is in turn; PlatformFault `unavailable` if it is stored, but not in force
   */
  async change<T>(appid: string, work: () => Promise<T>, { inTurn = false } = {}): Promise<T> {
    if (inTurn) return await this.#publishes.run(appid, async () => await this.change(appid, work))
    return await this.#changes.run(appid, async () => {
      const result = await work()
      await this.#putInForce(appid)
      return result
    })
  }

  /** Answers when the next event runs the new code. All of the change happens, or nothing. */
  async publish(appid: string, change: Change | (() => Promise<Change>)): Promise<PublishResult> {
    return await this.#inTurn(appid, async (app) => await this.#check(app, typeof change === 'function' ? await change() : change))
  }

  /**
   * Changes the environment, which starts all modules anew. `after` says what it will be, `store` stores it.
   * @throws UserFault `load_error` if a function that can be loaded now could not be any more: then nothing is stored
   */
  async changeEnv(appid: string, after: () => Promise<Record<string, string>>, store: () => Promise<void>): Promise<void> {
    await this.#inTurn(appid, async () => {
      const env = await after()
      await this.#trial.run({ appid, put: [], remove: [], prune: false, dependents: [], env }, (name) => this.#running(appid, name))
      return store
    })
  }

  /**
   * Checks in turn, and then carries out what the check returns. Meanwhile the operator may delete the app and make another
   * of that name: that one is none of the caller's.
   */
  async #inTurn<T>(appid: string, check: (app: App) => Promise<() => Promise<T>>): Promise<T> {
    const asked = await this.#app(appid)
    const sameApp = async (): Promise<App> => {
      const app = await this.#app(appid)
      if (app.createdAt !== asked.createdAt) throw appNotFound(appid)
      return app
    }
    return await this.#publishes.run(appid, async () => {
      const store = await check(await sameApp())
      return await this.change(appid, async () => {
        await sameApp()
        return await store()
      })
    })
  }

  async #app(appid: string): Promise<App> {
    const app = await this.#catalog.getApp(appid)
    if (app === null) throw appNotFound(appid)
    return app
  }

  /** Settles with what stores the change when there is nothing against it. */
  async #check(app: App, { put, remove = [], prune = false }: Change): Promise<() => Promise<PublishResult>> {
    const { appid } = app
    const { functions: maxFunctions } = effectiveLimits(app.limits)
    checkSources(app, put)
    // The catalog counts; this only keeps us from compiling and trying what it will refuse.
    if (put.length > maxFunctions && put.length > (await allFunctions(this.#catalog, appid)).length) {
      throw tooManyFunctions(appid, put.length, maxFunctions)
    }
    const compiled = await this.#compileAll(put)
    const request: PublishRequest = { put: compiled.map(({ version }) => version), remove, prune, maxFunctions }
    const dependents = await this.#checkWithOthers(app.appid, compiled, request)
    if (compiled.length + dependents.length > 0) {
      const functions = compiled.map(({ version: { name, compiled: code } }) => ({ name, code }))
      await this.#trial.run({ appid, put: functions, remove, prune, dependents }, async (name) => sourceOf(compiled, name) ?? (await this.#running(appid, name)))
    }
    return async () => {
      const result = await this.#catalog.publish(appid, request)
      for (const { version, shape } of compiled) this.#shapes.remember(version.hash, shape)
      return result
    }
  }

  /** Checks the change against the functions that it leaves as they are. Settles with those of them that it may break. */
  async #checkWithOthers(appid: string, compiled: CompiledDraft[], { remove, prune, maxFunctions }: PublishRequest): Promise<string[]> {
    // Then nothing stays but what is put.
    const before = prune === true ? new Map<string, Shape>() : await this.#shapes.ofApp(appid)
    const after = new Map(before)
    for (const name of remove) after.delete(name)
    for (const { version, shape } of compiled) after.set(version.name, shape)
    const put = compiled.map(({ version }) => version.name)
    if (prune !== true && after.size > maxFunctions && after.size > before.size) throw tooManyFunctions(appid, after.size, maxFunctions)
    if (put.length > 0) checkTogether(appid, after, put)
    const removed = remove.filter((name) => before.has(name) && !after.has(name))
    // Who imported a function that will be gone, only the imports as they are now tell.
    const importers = [...dependentsOf(removed, before.keys(), resolver(before)), ...dependentsOf(put, after.keys(), resolver(after))]
    return [...new Set(importers)].filter((name) => after.has(name) && !put.includes(name))
  }

  /**
   * Tells the errors of all functions at once; with more than one function each error names its own.
   * What the compiler cannot cope with ends it: each such source takes seconds, and others wait.
   */
  async #compileAll(drafts: Draft[]): Promise<CompiledDraft[]> {
    const results: CompiledDraft[] = []
    const failures: { name: string; fault: UserFault }[] = []
    for (const draft of drafts) {
      try {
        const compiled = await this.#compiler.compile(draft.name, draft.code)
        results.push({ version: { ...draft, compiled: compiled.code, hash: hash('sha256', draft.code) }, shape: shapeOf(compiled) })
      } catch (error) {
        if (!(error instanceof UserFault) || error.code !== 'compile_error' || drafts.length === 1) throw error
        failures.push({ name: draft.name, fault: error })
      }
    }
    if (failures.length === 0) return results
    const details = failures.flatMap(({ name, fault }) => (fault.details as CompileError[]).map((error) => ({ function: name, ...error })))
    throw new UserFault('compile_error', failures.map(({ fault }) => fault.message).join('\n'), details)
  }

  async #running(appid: string, name: string): Promise<Source | null> {
    try {
      const running = await this.#catalog.getFunction(appid, name)
      return { hash: running.hash, load: async () => running }
    } catch {
      return null
    }
  }

  async #putInForce(appid: string): Promise<void> {
    try {
      await this.#pool.appChanged(appid)
    } catch (error) {
      if (!(error instanceof PlatformFault)) throw error
      throw new PlatformFault('unavailable', `the change of ${appid} is stored, and will be in force when the runtime is reachable again`, { cause: error })
    }
  }
}

function appNotFound(appid: string): UserFault {
  return new UserFault('app_not_found', `there is no app ${JSON.stringify(appid)}`)
}

function tooManyFunctions(appid: string, count: number, max: number): UserFault {
  return new UserFault('too_many_functions', `${appid} would have ${count} functions, more than the limit functions of ${max}`)
}

function checkSources(app: App, put: Draft[]): void {
  const { sourceBytes } = effectiveLimits(app.limits)
  for (const { name, code } of put) {
    const bytes = Buffer.byteLength(code)
    if (bytes > sourceBytes) throw new UserFault('too_large', `the source of ${name} has ${bytes} bytes, more than the limit sourceBytes of ${sourceBytes}`)
  }
}

/** Which functions of the app one of them imports. */
function resolver(shapes: Map<string, Shape>): (name: string) => string[] {
  const exists = (name: string): boolean => shapes.has(name)
  return (name) => shapes.get(name)!.imports.map((specifier) => importedFunction(name, specifier, exists)).filter((found) => found !== null)
}

function checkTogether(appid: string, shapes: Map<string, Shape>, changed: string[]): void {
  const bytes = [...shapes.values()].reduce((sum, { wireBytes }) => sum + wireBytes, 0)
  if (bytes > MAX_WIRE_BYTES) throw new UserFault('app_too_large', `the compiled functions of ${appid} have ${bytes} bytes together, more than ${MAX_WIRE_BYTES}`)
  const cycle = findCycle(changed, resolver(shapes))
  if (cycle !== null) throw new UserFault('circular_import', `functions cannot import each other in a circle: ${cycle.join(' → ')}`, [{ cycle }])
}

function sourceOf(compiled: CompiledDraft[], name: string): Source | null {
  const draft = compiled.find(({ version }) => version.name === name)?.version
  return draft === undefined ? null : { hash: draft.hash, load: async () => draft }
}
