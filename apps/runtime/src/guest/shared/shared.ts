import { NodeKind } from '@socklet/shared/records'
import { NativeMap, NativeTypeError, mapDelete, mapGet, mapSet, objectDefine, ours, reflectApply } from '../primordials.ts'
import { ROOT, makeNode } from './graph.ts'
import { mapMethods } from './hooks.ts'

/** As functions see it: a Map, and with `update`. */
export interface Shared extends Map<unknown, unknown> {
  update(key: unknown, change: (value: unknown) => unknown): Promise<unknown>
}

/** `cloud.shared`, once in each isolate. That it is kept, hooks.ts sees to: it is a Map like any other. */
export function makeShared(): Shared {
  const shared = new NativeMap() as Shared
  const root = makeNode(NodeKind.MAP, shared, null, ROOT)
  root.references = 1
  root.stored = true
  const waiting = new NativeMap<unknown, Promise<unknown>>()

  /**
   * Sets the key to what `change` makes of its value, and gives that. No other update of the key comes between the two,
   * also if `change` takes its time, and it is not called if `cloud.shared` is changed elsewhere meanwhile.
   */
  async function update(key: unknown, change: (value: unknown) => unknown): Promise<unknown> {
    if (typeof change !== 'function') throw new NativeTypeError('cloud.shared.update(key, change): change must be a function')
    const before = mapGet(waiting, key)
    const done = before === undefined ? apply(key, change) : after(before, key, change)
    mapSet(waiting, key, done)
    try {
      return await ours(done)
    } finally {
      if (mapGet(waiting, key) === done) mapDelete(waiting, key)
    }
  }

  async function after(before: Promise<unknown>, key: unknown, change: (value: unknown) => unknown): Promise<unknown> {
    try {
      await ours(before)
    } catch {
      // That was said to whoever asked for it.
    }
    return await ours(apply(key, change))
  }

  async function apply(key: unknown, change: (value: unknown) => unknown): Promise<unknown> {
    let value = change(reflectApply(mapMethods.get, shared, [key]))
    if (typeof value === 'object' && value !== null) value = await value
    reflectApply(mapMethods.set, shared, [key, value])
    return value
  }

  objectDefine(shared, 'update', { value: update, writable: true, enumerable: false, configurable: true })
  return shared
}
