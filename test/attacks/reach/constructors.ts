import type { ReachAttack } from '../attack.ts'

export default {
  name: 'Host objects through constructors',
  layer: 'isolate',
  holds: 'Every constructor that can be reached makes code of this isolate: there is no process of Node and no other global.',
  variants: {
    'of the global object': `return look(globalThis, 'globalThis')`,
    'of the context and its socket': `return look(ctx, 'ctx') ?? look(ctx.socket.constructor, 'socket')`,
    'of the cloud object': `return look(cloud, 'cloud')`,
    'of functions of the platform': `for (const f of [console.log, setTimeout, ctx.socket.send, cloud.sockets.send, fetch, require, Buffer.from, process.nextTick]) { const g = await f.constructor('return this')(); if (g !== globalThis) return 'a global'; if ((await f.constructor('return typeof process.binding')()) !== 'undefined') return 'a binding' }`,
    'of async functions and generators': `for (const F of [async () => {}, function* () {}, async function* () {}].map((f) => f.constructor)) { const made = F('return globalThis')(); const g = made.next ? (await made.next()).value : await made; if (g !== globalThis) return 'a global' }`,
    'of a bound, a proxied and a class function': `for (const f of [console.log.bind(null), new Proxy(console.log, {}), class extends Buffer {}]) if (f.constructor.constructor('return globalThis')() !== globalThis) return 'a global'`,
    'of buffers and their views': `return look(ctx.params.data, 'data') ?? look(new Uint8Array(ctx.params.data.buffer).constructor, 'view')`
  }
} satisfies ReachAttack
