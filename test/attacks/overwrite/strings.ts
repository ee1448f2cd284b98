import type { OverwriteAttack } from '../attack.ts'
import { overwrite } from '../overwriting.ts'

export default {
  name: 'Methods of strings, numbers and symbols overwritten',
  layer: 'guest',
  holds: 'The guest has taken what it uses before any code of the tenant ran: messages, rooms, shared values, timers and log lines go on as they were.',
  variants: {
    'by what throws': overwrite('String.prototype, String, Number.prototype, Number, BigInt.prototype, BigInt, Boolean.prototype, RegExp.prototype', 'throw new Error("overwritten")'),
    'by what gives nothing': overwrite('String.prototype, String, Number.prototype, Number, BigInt.prototype, BigInt, Boolean.prototype, RegExp.prototype', ''),
    'by what gives a Proxy that throws': overwrite('String.prototype, String, Number.prototype, Number, BigInt.prototype, BigInt, Boolean.prototype, RegExp.prototype', 'return new Proxy(function () {}, { get() { throw 1 }, apply() { throw 2 } })'),
    'by what gives the receiver': overwrite('String.prototype, String, Number.prototype, Number, BigInt.prototype, BigInt, Boolean.prototype, RegExp.prototype', 'return this')
  }
} satisfies OverwriteAttack
