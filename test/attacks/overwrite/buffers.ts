import type { OverwriteAttack } from '../attack.ts'
import { overwrite } from '../overwriting.ts'

export default {
  name: 'Buffers, typed arrays and data views overwritten',
  layer: 'guest',
  holds: 'The guest has taken what it uses before any code of the tenant ran: messages, rooms, shared values, timers and log lines go on as they were.',
  variants: {
    'by what throws': overwrite('Object.getPrototypeOf(Uint8Array.prototype), Uint8Array.prototype, ArrayBuffer.prototype, DataView.prototype, Object.getPrototypeOf(Uint8Array)', 'throw new Error("overwritten")'),
    'by what gives nothing': overwrite('Object.getPrototypeOf(Uint8Array.prototype), Uint8Array.prototype, ArrayBuffer.prototype, DataView.prototype, Object.getPrototypeOf(Uint8Array)', ''),
    'by what gives a Proxy that throws': overwrite('Object.getPrototypeOf(Uint8Array.prototype), Uint8Array.prototype, ArrayBuffer.prototype, DataView.prototype, Object.getPrototypeOf(Uint8Array)', 'return new Proxy(function () {}, { get() { throw 1 }, apply() { throw 2 } })'),
    'by what gives the receiver': overwrite('Object.getPrototypeOf(Uint8Array.prototype), Uint8Array.prototype, ArrayBuffer.prototype, DataView.prototype, Object.getPrototypeOf(Uint8Array)', 'return this')
  }
} satisfies OverwriteAttack
