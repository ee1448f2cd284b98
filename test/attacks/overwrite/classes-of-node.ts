import type { OverwriteAttack } from '../attack.ts'
import { overwrite } from '../overwriting.ts'

export default {
  name: 'Classes of Node that the guest brings overwritten',
  layer: 'guest',
  holds: 'The guest has taken what it uses before any code of the tenant ran: messages, rooms, shared values, timers and log lines go on as they were.',
  variants: {
    'by what throws': overwrite('Buffer, Buffer.prototype, URL.prototype, URLSearchParams.prototype, TextEncoder.prototype, TextDecoder.prototype, Object.getPrototypeOf(AbortSignal.prototype), Event.prototype', 'throw new Error("overwritten")'),
    'by what gives nothing': overwrite('Buffer, Buffer.prototype, URL.prototype, URLSearchParams.prototype, TextEncoder.prototype, TextDecoder.prototype, Object.getPrototypeOf(AbortSignal.prototype), Event.prototype', ''),
    'by what gives a Proxy that throws': overwrite('Buffer, Buffer.prototype, URL.prototype, URLSearchParams.prototype, TextEncoder.prototype, TextDecoder.prototype, Object.getPrototypeOf(AbortSignal.prototype), Event.prototype', 'return new Proxy(function () {}, { get() { throw 1 }, apply() { throw 2 } })'),
    'by what gives the receiver': overwrite('Buffer, Buffer.prototype, URL.prototype, URLSearchParams.prototype, TextEncoder.prototype, TextDecoder.prototype, Object.getPrototypeOf(AbortSignal.prototype), Event.prototype', 'return this')
  }
} satisfies OverwriteAttack
