/** `fetch` and its classes as globals, evaluated when they are first used, as in Node. */
// oxlint-disable typescript/no-require-imports
import { hide, named } from '../globals/define.ts'

const web = (): typeof import('./web.ts') => require('./web.ts') as typeof import('./web.ts')
const CLASSES = ['File', 'FormData', 'Headers', 'Request', 'Response'] as const

async function fetch(input: unknown, init?: object): Promise<unknown> {
  return await web().fetch(input, init)
}

export function installFetch(target: object): void {
  hide(target, { fetch: named(fetch, 'fetch') })
  for (const name of CLASSES) {
    const define = (value: unknown): void => hide(target, { [name]: value })
    const get = (): unknown => {
      const value = web()[name]
      define(value)
      return value
    }
    Object.defineProperty(target, name, { get, set: define, configurable: true, enumerable: false })
  }
}

/** `cloud.fetch`. */
export function cloudFetch(): unknown {
  return (require('./cloud-fetch.ts') as typeof import('./cloud-fetch.ts')).cloudFetch
}
