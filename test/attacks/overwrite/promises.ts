import type { OverwriteAttack } from '../attack.ts'
import { overwrite } from '../overwriting.ts'

export default {
  name: 'Promise overwritten',
  layer: 'guest',
  holds: 'The guest has taken what it uses before any code of the tenant ran: messages, rooms, shared values, timers and log lines go on as they were.',
  variants: {
    'by what throws': overwrite('Promise.prototype, Promise', 'throw new Error("overwritten")'),
    'by what gives nothing': overwrite('Promise.prototype, Promise', ''),
    'by what gives a Proxy that throws': overwrite('Promise.prototype, Promise', 'return new Proxy(function () {}, { get() { throw 1 }, apply() { throw 2 } })'),
    'by what gives the receiver': overwrite('Promise.prototype, Promise', 'return this')
  }
} satisfies OverwriteAttack
