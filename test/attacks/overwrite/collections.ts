import type { OverwriteAttack } from '../attack.ts'
import { overwrite } from '../overwriting.ts'

export default {
  name: 'Methods of Map, Set and their weak kin overwritten',
  layer: 'guest',
  holds: 'The guest has taken what it uses before any code of the tenant ran: messages, rooms, shared values, timers and log lines go on as they were.',
  variants: {
    'by what throws': overwrite('Map.prototype, Set.prototype, WeakMap.prototype, WeakSet.prototype, Object.getPrototypeOf(new Map().entries()), Object.getPrototypeOf(new Set().values()), Object.getPrototypeOf([].values())', 'throw new Error("overwritten")'),
    'by what gives nothing': overwrite('Map.prototype, Set.prototype, WeakMap.prototype, WeakSet.prototype, Object.getPrototypeOf(new Map().entries()), Object.getPrototypeOf(new Set().values()), Object.getPrototypeOf([].values())', ''),
    'by what gives a Proxy that throws': overwrite('Map.prototype, Set.prototype, WeakMap.prototype, WeakSet.prototype, Object.getPrototypeOf(new Map().entries()), Object.getPrototypeOf(new Set().values()), Object.getPrototypeOf([].values())', 'return new Proxy(function () {}, { get() { throw 1 }, apply() { throw 2 } })'),
    'by what gives the receiver': overwrite('Map.prototype, Set.prototype, WeakMap.prototype, WeakSet.prototype, Object.getPrototypeOf(new Map().entries()), Object.getPrototypeOf(new Set().values()), Object.getPrototypeOf([].values())', 'return this')
  }
} satisfies OverwriteAttack
