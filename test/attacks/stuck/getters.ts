import type { GreedyAttack } from '../attack.ts'

export default {
  name: 'Getters, toString and traps that loop while the platform reads a value',
  layer: 'worker',
  holds: 'All of a tenant’s values are read inside the turn; the host copies text and bytes only, so nothing of the tenant runs outside the watch.',
  variants: {
    'a getter of a value that is stored': { at: 'message', code: `cloud.shared.set('x', { get a() { for (;;) {} } })` },
    'a getter of socket.data': { at: 'message', code: `ctx.socket.data = { get a() { for (;;) {} } }` },
    'toString of what is logged': { at: 'message', code: `console.log('%s', { toString() { for (;;) {} }, [Symbol.toPrimitive]() { for (;;) {} } }); console.log({ get [Symbol.toStringTag]() { for (;;) {} } })` },
    'the stack of what is thrown': { at: 'message', code: `throw Object.defineProperty(new Error('x'), 'stack', { get() { for (;;) {} } })` },
    'a Proxy that is thrown': { at: 'message', code: `throw new Proxy({}, { get() { for (;;) {} }, getPrototypeOf() { for (;;) {} }, has() { for (;;) {} } })` },
    'a Proxy that is rejected': { at: 'message', code: `void Promise.reject(new Proxy(new Error('x'), { get() { for (;;) {} }, getPrototypeOf() { for (;;) {} } })); await null` },
    'the message of an error that is rejected': { at: 'message', code: `void Promise.reject(Object.defineProperty(new Error('x'), 'message', { get() { for (;;) {} } })); void Promise.reject(Object.defineProperty(new Error('x'), 'stack', { get() { for (;;) {} } }))` },
    'what a request returns': { at: 'request', code: `return { toJSON() { for (;;) {} } }` }
  }
} satisfies GreedyAttack
