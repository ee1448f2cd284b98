import type { ReachAttack } from '../attack.ts'

export default {
  name: 'Getters that run inside the platform',
  layer: 'guest',
  holds: 'They see the tenant’s own object as `this` and no caller; what they throw comes back to the tenant.',
  variants: {
    'in options of a message': `const seen = []; const o = { get binary() { seen.push(this); return false }, get compress() { seen.push(this, caught(() => arguments.callee.caller)) }, get fin() { seen.push(this); return true }, get except() { seen.push(this) } }; caught(() => ctx.socket.send('x', o)); caught(() => cloud.sockets.send('x', o)); return look(seen, 'seen')`,
    'in values that are stored': `const seen = []; const o = { get a() { seen.push(this); return { get b() { seen.push(this); return 1 } } } }; caught(() => cloud.shared.set('getter', o)); caught(() => { ctx.socket.data = o }); caught(() => structuredClone(o)); cloud.shared.delete('getter'); return look(seen, 'seen')`,
    'in what is logged': `const seen = []; console.log({ get a() { seen.push(this); throw 1 }, get [Symbol.toStringTag]() { seen.push(this); return 'x' }, get constructor() { seen.push(this); return Object } }); return look(seen, 'seen')`,
    'in an error that is thrown': `const seen = []; const e = new Error('x'); for (const k of ['stack', 'message', 'name', 'cause', 'code']) Object.defineProperty(e, k, { get() { seen.push(this); throw e } }); console.log(e); ctx.socket.emit?.('error', e); return look(seen, 'seen')`,
    'in options of a request': `const seen = []; const o = {}; for (const k of ['method', 'headers', 'body', 'signal', 'redirect', 'duplex']) Object.defineProperty(o, k, { get() { seen.push(this); return undefined }, enumerable: true }); await fetch('http://127.0.0.1:9/', o).catch(() => {}); return look(seen, 'seen')`
  }
} satisfies ReachAttack
