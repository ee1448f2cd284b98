import type { OverwriteAttack } from '../attack.ts'

const indices = (body: string): string => `{ const { defineProperty } = Reflect; for (let i = 0; i < 20; i++) defineProperty(Array.prototype, i, { __proto__: null, ${body}, configurable: true }) }`
export default {
  name: 'Array.prototype with indices, and Symbol.iterator, species and toPrimitive replaced',
  layer: 'guest',
  holds: 'No array of the guest inherits from it where it is written past its end, and none is iterated by a method of the tenant.',
  variants: {
    'setters for indices': indices(`get() { return undefined }, set(v) { throw new Error('seen') }`),
    'getters for indices': indices(`get() { throw new Error('seen') }, set(v) {}`),
    'values at indices that cannot be written': indices(`value: 'polluted', writable: false`),
    'iterators': `{ const evil = function () { throw new Error('iterated') }; for (const o of [Array, Map, Set, String, Object.getPrototypeOf(Uint8Array)].map((c) => c.prototype)) o[Symbol.iterator] = evil }`,
    'iterators of the global objects deleted': `for (const o of [Array, Map, Set, String, Object.getPrototypeOf(Uint8Array)].map((c) => c.prototype)) delete o[Symbol.iterator]`,
    'species': `for (const c of [Array, Map, Set, Promise, ArrayBuffer, Object.getPrototypeOf(Uint8Array)]) Object.defineProperty(c, Symbol.species, { get() { throw new Error('species') }, configurable: true })`,
    'a prototype without one': `Object.setPrototypeOf(Array.prototype, null); Object.setPrototypeOf(Function.prototype, null); Object.setPrototypeOf(Map.prototype, null)`
  }
} satisfies OverwriteAttack
