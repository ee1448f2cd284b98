/**
 * The globals that a bare isolate lacks and tenants expect, as in Node. They are defined while the snapshot is built or right after it was restored; nothing here
 * asks for time or randomness before a tenant does, or every isolate of the snapshot would have the same.
 *
 * `require` is the bundler's: what is required is no part of the snapshot (snapshot/chunks.ts), and evaluated when it is first asked for. What is in the snapshot is in
 * every isolate, and its objects twice, since isolated-vm makes a context that nobody uses.
 */
// oxlint-disable typescript/no-require-imports
import { Buffer } from './buffer.ts'
import { define, hide, named, reportUncaught } from './define.ts'
import { performance } from './performance.ts'
import { setRandomSource, type RandomSource } from './random.ts'
import { NativeTypeError, ours, objectAssign, objectDefine, objectKeys, reflectApply } from '../primordials.ts'

const { then } = Promise.prototype
const resolved = Promise.resolve.bind(Promise)

function queueMicrotask(callback: () => void): void {
  if (typeof callback !== 'function') throw objectAssign(new NativeTypeError('The "callback" argument must be of type function.'), { code: 'ERR_INVALID_ARG_TYPE' })
  void reflectApply(then, resolved(), [() => {
    try {
      // Whatever it returns is nobody's business: a promise here must not be waited for.
      void callback()
    } catch (error) {
      reportUncaught(error)
    }
  }])
}

const abort = (): typeof import('./abort.ts') => require('./abort.ts') as typeof import('./abort.ts')
const base64 = (): typeof import('./base64.ts') => require('./base64.ts') as typeof import('./base64.ts')
const events = (): typeof import('./event-target.ts') => require('./event-target.ts') as typeof import('./event-target.ts')
const text = (): typeof import('./text-encoding.ts') => require('./text-encoding.ts') as typeof import('./text-encoding.ts')
const web = (): typeof import('../fetch/web.ts') => require('../fetch/web.ts') as typeof import('../fetch/web.ts')

const LAZY: Record<string, () => unknown> = {
  AbortController: () => abort().AbortController,
  AbortSignal: () => abort().AbortSignal,
  Blob: () => (require('./blob.ts') as typeof import('./blob.ts')).Blob,
  CustomEvent: () => events().CustomEvent,
  DOMException: () => (require('./dom-exception.ts') as typeof import('./dom-exception.ts')).DOMException,
  Event: () => events().Event,
  EventTarget: () => events().EventTarget,
  File: () => web().File,
  FormData: () => web().FormData,
  Headers: () => web().Headers,
  Request: () => web().Request,
  Response: () => web().Response,
  TextDecoder: () => text().TextDecoder,
  TextEncoder: () => text().TextEncoder,
  URL: () => (require('./url/url.ts') as typeof import('./url/url.ts')).URL,
  URLSearchParams: () => (require('./url/search-params.ts') as typeof import('./url/search-params.ts')).URLSearchParams,
  atob: () => base64().atob,
  btoa: () => base64().btoa,
  crypto: () => (require('./crypto.ts') as typeof import('./crypto.ts')).crypto,
  structuredClone: () => (require('./structured-clone.ts') as typeof import('./structured-clone.ts')).structuredClone
}

async function fetch(input: unknown, init?: object): Promise<unknown> {
  return await ours(web().fetch(input, init))
}

/** Defines the globals on `target`. */
export function installGlobals(target: object, host: RandomSource): void {
  setRandomSource(host)
  hide(target, { Buffer, fetch: named(fetch, 'fetch'), global: target, performance, queueMicrotask: named(queueMicrotask, 'queueMicrotask') })
  const names = objectKeys(LAZY)
  for (let i = 0; i < names.length; i++) defineLazy(target, names[i]!, LAZY[names[i]!]!)
}

/** An accessor until it is first used, as Node has some, an ordinary property from then on. */
function defineLazy(target: object, name: string, make: () => unknown): void {
  const set = (value: unknown): void => define(target, name, value)
  const get = (): unknown => {
    const value = make()
    set(value)
    return value
  }
  objectDefine(target, name, { __proto__: null, get, set, configurable: true, enumerable: false } as PropertyDescriptor)
}
