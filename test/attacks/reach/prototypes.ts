import type { ReachAttack } from '../attack.ts'

export default {
  name: 'Prototypes of platform objects, read and replaced',
  layer: 'guest',
  holds: 'They lead to nothing of the host, and what is replaced on them changes what the tenant sees, not what the platform does.',
  variants: {
    'walked to their ends': `for (const one of [ctx, ctx.socket, cloud, cloud.sockets, cloud.shared, console, process]) for (let p = one; p; p = Object.getPrototypeOf(p)) { const got = look(p, 'prototype'); if (got) return got }`,
    'taken away': `const { socket } = ctx; const before = Object.getPrototypeOf(socket); try { Object.setPrototypeOf(socket, null); before.send.call(socket, 'x') } finally { caught(() => Object.setPrototypeOf(socket, before)) }`,
    'replaced by a Proxy that keeps what it sees': `const seen = []; const { socket } = ctx; const before = Object.getPrototypeOf(socket); Object.setPrototypeOf(socket, new Proxy(before, { get(t, k, r) { seen.push(r, k); return Reflect.get(t, k, r) }, has(t, k) { seen.push(k); return k in t } })); socket.send('x'); Object.setPrototypeOf(socket, before); return look(seen, 'seen')`,
    'methods called on objects of another kind': `for (const name of ['send', 'close', 'join', 'leave', 'on', 'terminate', 'ping']) for (const self of [{}, null, undefined, Object.create(ctx.socket), new Proxy(ctx.socket, {}), cloud.sockets, globalThis]) { const got = caught(() => ctx.socket[name].call(self, 'x')); const found = look(got, name) ?? leak(got?.stack); if (found) return found }`,
    'getters called on objects of another kind': `for (let p = Object.getPrototypeOf(ctx.socket); p; p = Object.getPrototypeOf(p)) for (const key of Reflect.ownKeys(p)) { const { get } = Reflect.getOwnPropertyDescriptor(p, key); if (!get || key === '__proto__') continue; for (const self of [{}, Object.create(ctx.socket), 1]) { const got = caught(() => get.call(self)); const found = look(got, String(key)) ?? leak(got?.stack); if (found) return found } }`,
    'instances made without their constructor': `const S = ctx.socket.constructor; for (const made of [caught(() => new S()), caught(() => Reflect.construct(S, [], Object)), caught(() => Reflect.construct(Object, [], S)), Object.create(S.prototype)]) { const got = caught(() => made.send('x')); const found = look(got) ?? leak(got?.stack); if (found) return found }`
  }
} satisfies ReachAttack
