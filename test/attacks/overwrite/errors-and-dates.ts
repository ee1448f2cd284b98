import type { OverwriteAttack } from '../attack.ts'
import { overwrite } from '../overwriting.ts'

export default {
  name: 'Errors and dates overwritten',
  layer: 'guest',
  holds: 'The guest has taken what it uses before any code of the tenant ran: messages, rooms, shared values, timers and log lines go on as they were.',
  variants: {
    'by what throws': overwrite('Error, Error.prototype, TypeError.prototype, RangeError.prototype, Date, Date.prototype', 'throw new Error("overwritten")'),
    'by what gives nothing': overwrite('Error, Error.prototype, TypeError.prototype, RangeError.prototype, Date, Date.prototype', ''),
    'by what gives a Proxy that throws': overwrite('Error, Error.prototype, TypeError.prototype, RangeError.prototype, Date, Date.prototype', 'return new Proxy(function () {}, { get() { throw 1 }, apply() { throw 2 } })'),
    'by what gives the receiver': overwrite('Error, Error.prototype, TypeError.prototype, RangeError.prototype, Date, Date.prototype', 'return this')
  }
} satisfies OverwriteAttack
