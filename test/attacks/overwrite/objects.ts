import type { OverwriteAttack } from '../attack.ts'
import { overwrite } from '../overwriting.ts'

export default {
  name: 'Object and Reflect overwritten',
  layer: 'guest',
  holds: 'The guest has taken what it uses before any code of the tenant ran: messages, rooms, shared values, timers and log lines go on as they were.',
  variants: {
    'by what throws': overwrite('Object, Reflect, JSON, Math', 'throw new Error("overwritten")'),
    'by what gives nothing': overwrite('Object, Reflect, JSON, Math', ''),
    'by what gives a Proxy that throws': overwrite('Object, Reflect, JSON, Math', 'return new Proxy(function () {}, { get() { throw 1 }, apply() { throw 2 } })'),
    'by what gives the receiver': overwrite('Object, Reflect, JSON, Math', 'return this')
  }
} satisfies OverwriteAttack
