import { arrayBufferIsView, NativeArrayBuffer, NativeTypeError, objectDefine, reflectConstruct } from './primordials.ts'

/**
 * Takes away what reaches around the memory limit or the watchdog of the isolate. Only after the isolate was
 * restored: V8 aborts when it makes a snapshot in which a global was deleted.
 */
export function harden(): void {
  const global = globalThis as unknown as Record<string, unknown>
  // WebAssembly and shared memory lie outside the heap limit, Atomics.wait blocks the thread, and what a
  // FinalizationRegistry calls runs after the turn, outside any watch.
  for (const name of ['WebAssembly', 'SharedArrayBuffer', 'Atomics', 'FinalizationRegistry']) delete global[name]
  // It would run inside the host's reading of an error's stack. Setting it is ignored, since libraries do.
  objectDefine(Error, 'prepareStackTrace', { get: () => undefined, set: () => {}, configurable: false })
  forbidResizing()
}

/** `new ArrayBuffer(n)` without `maxByteLength`: a resizable buffer reserves memory that no limit sees. */
function forbidResizing(): void {
  function ArrayBuffer(length?: unknown): object {
    if (new.target === undefined) throw new NativeTypeError("Constructor ArrayBuffer requires 'new'")
    return reflectConstruct(NativeArrayBuffer, [length], new.target) as object
  }
  // The bundler calls it something else, because the name is taken.
  objectDefine(ArrayBuffer, 'name', { value: 'ArrayBuffer', configurable: true })
  objectDefine(ArrayBuffer, 'prototype', { value: NativeArrayBuffer.prototype, writable: false })
  objectDefine(ArrayBuffer, 'isView', { value: arrayBufferIsView, writable: true, configurable: true })
  objectDefine(ArrayBuffer, Symbol.species, { get: species, configurable: true })
  objectDefine(NativeArrayBuffer.prototype, 'constructor', { value: ArrayBuffer, writable: false, configurable: false })
  objectDefine(globalThis, 'ArrayBuffer', { value: ArrayBuffer, writable: true, configurable: true })
}

function species(this: unknown): unknown {
  return this
}
