import type { OverwriteAttack } from '../attack.ts'

/** What the test's own code uses is kept. */
const KEPT = `['setTimeout', 'console']`
export default {
  name: 'Globals replaced or deleted',
  layer: 'guest',
  holds: 'The guest looks nothing up in the global object after its start.',
  variants: {
    'all deleted': `{ const here = globalThis; for (const name of Reflect.ownKeys(here)) if (!${KEPT}.includes(name)) delete here[name] }`,
    'all replaced by a Proxy': `{ const here = globalThis; const evil = new Proxy(function () {}, { get() { throw new Error('global') }, apply() { throw new Error('global') }, construct() { throw new Error('global') } }); const { defineProperty } = Reflect; for (const name of Reflect.ownKeys(here)) if (!${KEPT}.includes(name)) try { defineProperty(here, name, { value: evil, configurable: true, writable: true }) } catch {} }`,
    'getters in their place': `{ const here = globalThis; const { defineProperty } = Reflect; for (const name of Reflect.ownKeys(here)) if (!${KEPT}.includes(name)) try { defineProperty(here, name, { get() { throw new Error('global') }, configurable: true }) } catch {} }`,
    'the global object frozen': `Object.freeze(globalThis)`,
    'everything frozen': `for (const c of [Object, Array, Function, Map, Set, Promise, String, Uint8Array]) { Object.freeze(c); Object.freeze(c.prototype) }`,
    'the prototype of the global object replaced': `try { Object.setPrototypeOf(Object.getPrototypeOf(globalThis), new Proxy({}, { get() { throw new Error('global') }, has() { throw new Error('global') } })) } catch {}`
  }
} satisfies OverwriteAttack
