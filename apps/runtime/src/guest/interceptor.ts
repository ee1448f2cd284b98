import { setCurrent, type Running } from './current.ts'
import { handlerOf, type LoadedFunction, type Main } from './modules.ts'
import type { DispatcherParts } from './parts.ts'
import { ours } from './primordials.ts'
import type { Response } from './response.ts'

export const INTERCEPTOR = '__interceptor__'

/** Of one request of an app that has a function of this name. */
interface Intercepted {
  readonly interceptor: LoadedFunction
  /** The function that was asked for, and in whose name it runs. */
  readonly main: Main
  readonly running: Running
  readonly response: Response
}

/**
 * `__interceptor__` is called in place of the function: what it returns is the answer, and `next(ctx)` calls the function. In its old form, which is every one
 * that does not have two parameters, `false` refuses, and after anything else the function is called. As in laf (runtimes/nodejs, FunctionExecutor).
 */
export class Interception {
  readonly #of: Intercepted
  readonly #own: Running
  /** What the function threw at last. */
  #thrown: { error: unknown } | null = null

  constructor(of: Intercepted) {
    this.#of = of
    this.#own = { ...of.running, function: INTERCEPTOR, version: of.interceptor.version }
  }

  async run(parts: DispatcherParts, ctx: object): Promise<unknown> {
    const { interceptor, response, running } = this.#of
    setCurrent(this.#own)
    const handler = handlerOf(parts.program(), interceptor, parts.platform)
    if (handler.length === 2) return await handler(ctx, (given: unknown = ctx) => this.#next(given))
    if ((await handler(ctx)) !== false) return await ours(this.#next(ctx))
    if (!response.headersSent) response.status(403).json({ error: 'Forbidden', requestId: running.requestId })
    return undefined
  }

  /** From now on runs, in the log, whoever has thrown this. */
  blame(error: unknown): void {
    setCurrent(this.#thrown !== null && this.#thrown.error === error ? this.#of.running : this.#own)
  }

  async #next(ctx: unknown): Promise<unknown> {
    const { main, running } = this.#of
    setCurrent(running)
    try {
      return await main(ctx)
    } catch (error) {
      this.#thrown = { error }
      throw error
    } finally {
      setCurrent(this.#own)
    }
  }
}
