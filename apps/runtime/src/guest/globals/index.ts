/**
 * The globals that a bare isolate lacks and tenants expect, as in Node. They are defined while the snapshot is built or right after it was restored; nothing here
 * asks for time or randomness before a tenant does, or every isolate of the snapshot would have the same.
 */
import { AbortController, AbortSignal } from './abort.ts'
import { atob, btoa } from './base64.ts'
import { Blob } from './blob.ts'
import { Buffer } from './buffer.ts'
import { createCrypto } from './crypto.ts'
import { hide, named, reportUncaught } from './define.ts'
import { DOMException } from './dom-exception.ts'
import { CustomEvent, Event, EventTarget } from './event-target.ts'
import { nodeModules } from './node-modules.ts'
import { performance } from './performance.ts'
import { structuredClone } from './structured-clone.ts'
import { TextDecoder, TextEncoder } from './text-encoding.ts'
import { URL } from './url/url.ts'
import { URLSearchParams } from './url/search-params.ts'

export interface GlobalsHost {
  /** Fresh random bytes from the host; expensive (a call out of the isolate), so they are taken 4 KiB at a time. */
  randomBytes(count: number): Uint8Array
}

const { then } = Promise.prototype
const resolved = Promise.resolve.bind(Promise)

function queueMicrotask(callback: () => void): void {
  if (typeof callback !== 'function') throw Object.assign(new TypeError('The "callback" argument must be of type function.'), { code: 'ERR_INVALID_ARG_TYPE' })
  void Reflect.apply(then, resolved(), [() => {
    try {
      // Whatever it returns is nobody's business: a promise here must not be waited for.
      void callback()
    } catch (error) {
      reportUncaught(error)
    }
  }])
}

/** Defines the globals on `target`; what `require('crypto')` gives needs the host too, so it joins `nodeModules` here. */
export function installGlobals(target: object, host: GlobalsHost): void {
  const { crypto, module } = createCrypto(host)
  nodeModules['crypto'] = module
  const functions = { atob, btoa, queueMicrotask, structuredClone }
  for (const [name, value] of Object.entries(functions)) named(value, name)
  hide(target, {
    ...functions,
    AbortController, AbortSignal, Blob, Buffer, CustomEvent, DOMException, Event, EventTarget, TextDecoder, TextEncoder, URL, URLSearchParams,
    crypto, global: target, performance
  })
}

export { format, inspect } from './inspect.ts'
export { nodeModules, setRareModules } from './node-modules.ts'
