// oxlint-disable typescript/no-require-imports -- the bundler's, see ../globals/index.ts
import { NodeKind } from '@socklet/shared/records'
import {
  NativeTypeError, mapClear, mapDelete, mapEntries, mapGet, mapHas, mapKeys, mapSet, mapValues, objectDefine, objectHasOwn, reflectApply, setAdd, setClear, setDelete, setEntries,
  setForEach, setHas, setSize, setValues
} from '../primordials.ts'
import { changeables, nodeCount, nodeFor, type Node } from './graph.ts'
import { touch } from './touched.ts'

/**
 * Map and Set as functions see them, in every isolate from its snapshot on: they tell of each change of one that is kept,
 * and of each reading by which something inside it may be changed. On the prototypes and not on the single objects, so
 * that subclasses and `Map.prototype.set.call` are seen as well. Of other Maps and Sets it costs a look into a WeakMap
 * (about 10 ns), and none while nothing is kept.
 */

function kept(object: unknown): Node | undefined {
  return nodeCount() > 0 ? nodeFor(object as object) : undefined
}

/** What keeps changes is there once there is something to keep. */
const keeping = (): typeof import('./keep.ts') => require('./keep.ts') as typeof import('./keep.ts')

/** Whoever reads an entry may change what is in it. */
function keyIsRead(map: unknown, key: unknown): void {
  if (setSize(changeables) === 0) return
  const node = nodeFor(map as object)
  if (node === undefined) return
  const entry = mapGet(node.entries, key)
  if (entry?.changeable) touch(entry)
}

function allIsRead(object: unknown): void {
  if (setSize(changeables) === 0) return
  const changeable = nodeFor(object as object)?.changeable
  if (changeable) setForEach(changeable, touch)
}

export const mapMethods = {
  get(this: Map<unknown, unknown>, key: unknown): unknown {
    keyIsRead(this, key)
    return mapGet(this, key)
  },
  set(this: Map<unknown, unknown>, key: unknown, value: unknown): unknown {
    const node = kept(this)
    if (node?.kind === NodeKind.MAP) {
      if (isSame(mapGet(this, key), value) && mapHas(this, key)) keyIsRead(this, key)
      else keeping().put(node, key, value)
    }
    return mapSet(this, key, value)
  },
  delete(this: Map<unknown, unknown>, key: unknown): boolean {
    const node = kept(this)
    if (node?.kind === NodeKind.MAP) keeping().remove(node, key)
    return mapDelete(this, key)
  },
  clear(this: Map<unknown, unknown>): void {
    const node = kept(this)
    if (node?.kind === NodeKind.MAP) keeping().clear(node)
    mapClear(this)
  },
  forEach(this: Map<unknown, unknown>, each: (value: unknown, key: unknown, map: unknown) => void, receiver?: unknown): void {
    allIsRead(this)
    reflectApply(nativeMapForEach, this, [each, receiver])
  },
  entries(this: Map<unknown, unknown>): unknown {
    allIsRead(this)
    return mapEntries(this)
  },
  values(this: Map<unknown, unknown>): unknown {
    allIsRead(this)
    return mapValues(this)
  },
  keys(this: Map<unknown, unknown>): unknown {
    allIsRead(this)
    return mapKeys(this)
  },
  getOrInsert(this: Map<unknown, unknown>, key: unknown, value: unknown): unknown {
    if (!mapHas(this, key)) reflectApply(mapMethods.set, this, [key, value])
    return reflectApply(mapMethods.get, this, [key])
  },
  getOrInsertComputed(this: Map<unknown, unknown>, key: unknown, compute: (key: unknown) => unknown): unknown {
    if (!mapHas(this, key)) {
      if (typeof compute !== 'function') throw new NativeTypeError(`the second argument is not a function`)
      // -0 is the same key as 0 (ECMAScript, "CanonicalizeKeyedCollectionKey").
      const canonical = key === 0 ? 0 : key
      reflectApply(mapMethods.set, this, [canonical, compute(canonical)])
    }
    return reflectApply(mapMethods.get, this, [key])
  }
}

const setMethods = {
  add(this: Set<unknown>, member: unknown): unknown {
    const node = kept(this)
    if (node?.kind === NodeKind.SET) {
      if (setHas(this, member)) keyIsRead(this, member)
      else keeping().put(node, member, undefined)
    }
    return setAdd(this, member)
  },
  delete(this: Set<unknown>, member: unknown): boolean {
    const node = kept(this)
    if (node?.kind === NodeKind.SET) keeping().remove(node, member)
    return setDelete(this, member)
  },
  clear(this: Set<unknown>): void {
    const node = kept(this)
    if (node?.kind === NodeKind.SET) keeping().clear(node)
    setClear(this)
  },
  forEach(this: Set<unknown>, each: (value: unknown, same: unknown, set: unknown) => void, receiver?: unknown): void {
    allIsRead(this)
    reflectApply(nativeSetForEach, this, [each, receiver])
  },
  entries(this: Set<unknown>): unknown {
    allIsRead(this)
    return setEntries(this)
  },
  values(this: Set<unknown>): unknown {
    allIsRead(this)
    return setValues(this)
  }
}

const nativeMapForEach = Map.prototype.forEach
const nativeSetForEach = Set.prototype.forEach

/** As a Map tells keys and values apart: NaN is NaN. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || (one !== one && other !== other)
}

function replaceMethods(prototype: object, methods: Record<string, unknown>): void {
  for (const name of Object.keys(methods)) {
    // Of the newer ones not all may be there.
    if (objectHasOwn(prototype, name)) objectDefine(prototype, name, { value: methods[name], writable: true, enumerable: false, configurable: true })
  }
}

/**
 * While the snapshot is made, and once more in an isolate that starts from it: what is new in the language V8 adds only
 * then, `getOrInsert` among it.
 */
export function installHooks(): void {
  replaceMethods(Map.prototype, mapMethods)
  objectDefine(Map.prototype, Symbol.iterator, { value: mapMethods.entries, writable: true, enumerable: false, configurable: true })
  replaceMethods(Set.prototype, setMethods)
  for (const name of ['keys', Symbol.iterator]) objectDefine(Set.prototype, name, { value: setMethods.values, writable: true, enumerable: false, configurable: true })
}

