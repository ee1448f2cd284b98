/** `fetch` and its classes as globals, evaluated when they are first used, as in Node. */
// oxlint-disable typescript/no-require-imports
import { ours } from '../primordials.ts'
import { define, hide, named } from '../globals/define.ts'

type Web = typeof import('./web.ts')

/** Kept: each `require` of the bundler goes through the names of the module, by an iterator that may be a tenant's. */
let loaded: Web | null = null
const web = (): Web => (loaded ??= require('./web.ts') as Web)
const CLASSES = ['File', 'FormData', 'Headers', 'Request', 'Response'] as const

async function fetch(input: unknown, init?: object): Promise<unknown> {
  return await ours(web().fetch(input, init))
}

export function installFetch(target: object): void {
  hide(target, { fetch: named(fetch, 'fetch') })
  for (const name of CLASSES) {
    const set = (value: unknown): void => define(target, name, value)
    const get = (): unknown => {
      const value = web()[name]
      set(value)
      return value
    }
    Object.defineProperty(target, name, { get, set, configurable: true, enumerable: false })
  }
}

/** `cloud.fetch`. */
export function cloudFetch(): unknown {
  return (require('./cloud-fetch.ts') as typeof import('./cloud-fetch.ts')).cloudFetch
}
