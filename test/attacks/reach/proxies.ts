import type { ReachAttack } from '../attack.ts'

const recorder = `const seen = []; const watch = (target) => new Proxy(target, Object.fromEntries(Reflect.ownKeys(Reflect).filter((k) => typeof Reflect[k] === 'function').map((k) => [k, (...a) => { seen.push(...a); return Reflect[k](...a) }])))`
export default {
  name: 'Proxies in the place of arguments',
  layer: 'guest',
  holds: 'Their traps see the tenant’s own objects only, and what they throw comes back to the tenant.',
  variants: {
    'as a message': `${recorder}; for (const t of [{}, [], new Uint8Array(3), new ArrayBuffer(3), () => {}, new Map()]) { caught(() => ctx.socket.send(watch(t))); caught(() => cloud.sockets.send(watch(t), watch({}))) } return look(seen, 'seen')`,
    'as a name of a room and as a key': `${recorder}; caught(() => ctx.socket.join(watch({}))); caught(() => cloud.sockets.in(watch({})).send('x')); caught(() => cloud.sockets.get(watch({}))); caught(() => cloud.shared.set(watch({}), watch({ a: watch([]) }))); caught(() => cloud.shared.clear()); return look(seen, 'seen')`,
    'as a listener and as a callback': `${recorder}; const l = watch(function () { seen.push(this, ...arguments) }); caught(() => ctx.socket.on('nothing', l)); caught(() => ctx.socket.emit('nothing', 1)); caught(() => ctx.socket.off('nothing', l)); await new Promise((done) => { setTimeout(watch(done), 1); ctx.socket.send('x', watch(() => {})) }); return look(seen, 'seen')`,
    'as what is logged': `${recorder}; console.log(watch({}), watch([]), watch(new Error('x')), watch(new Map())); console.log('%s %o %d', watch({}), watch([])); return look(seen, 'seen')`,
    'as a receiver': `${recorder}; const p = watch(ctx.socket); caught(() => p.send('x')); caught(() => p.data); const c = watch(cloud.sockets); caught(() => c.send('x')); caught(() => [...c]); const s = watch(cloud.shared); caught(() => s.set('a', 1)); return look(seen, 'seen')`,
    'revoked': `const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); for (const f of [() => ctx.socket.send(proxy), () => ctx.socket.join(proxy), () => cloud.shared.set('a', proxy), () => { ctx.socket.data = proxy }, () => console.log(proxy), () => cloud.sockets.send('x', { except: proxy })]) { const e = caught(f); const found = look(e) ?? leak(e?.stack); if (found) return found }`
  }
} satisfies ReachAttack
