import type { ReachAttack } from '../attack.ts'

const hostile = [
  'null', 'undefined', '1n', 'Symbol("x")', 'Object.create(null)', '() => {}', 'NaN', '""',
  'new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 }, ownKeys() { throw 3 } })', 'new Proxy(new Error("x"), { get() { throw new Error("y") } })', '(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy })()',
  'Object.defineProperty(new Error("x"), "stack", { get() { throw this } })', 'Object.defineProperty(new Error("x"), "message", { get() { return this } })', '{ stack: "a".repeat(1e6), message: 1 }', '{ get stack() { return { toString() { throw 1 } } } }',
  '{ toString() { return this } }', '{ [Symbol.toPrimitive]() { throw 1 } }', '(() => { const e = new Error("x"); e.cause = e; return e })()', 'new AggregateError([new AggregateError([1, {}])], "x")', 'Array(1e5)', '{ then() { throw 1 } }', '{ then(a, b) { b({ then(c) { c(1) } }) } }',
  'new (class extends Error { get name() { throw 1 } })()', 'Object.setPrototypeOf(new Error("x"), null)', 'Object.setPrototypeOf(function () {}, null)', 'new Error("\\0\\ud800\\u2028" + "é".repeat(1e5))', 'document = 1, globalThis'
]
const inHandler = (how: string): string => `for (const make of [${hostile.map((value) => `() => (${value})`).join(', ')}]) { ${how} } delete globalThis.document`
export default {
  name: 'Hostile values, thrown, rejected, logged or returned',
  layer: 'guest',
  holds: 'They become one line of text in the app’s log, made inside the isolate, or a refusal; nothing of them runs in the host, and the app answers the next message.',
  variants: {
    'thrown by a listener': inHandler(`ctx.socket.once('h', () => { throw make() }); caught(() => ctx.socket.emit('h'))`),
    'thrown by a timer and a microtask': inHandler(`setTimeout(() => { throw make() }, 0); queueMicrotask(() => { throw make() }); process.nextTick(() => { throw make() })`) + `; await new Promise((done) => setTimeout(done, 20))`,
    'rejected and handled by nobody': inHandler(`void Promise.reject(make()); void (async () => { throw make() })()`) + `; await new Promise((done) => setTimeout(done, 20))`,
    'logged': inHandler(`caught(() => console.log(make())); caught(() => console.error('%s %d %o', make(), make(), make()))`),
    'sent and stored': inHandler(`caught(() => ctx.socket.send(make())); caught(() => { ctx.socket.data = make() }); caught(() => cloud.shared.set('h', make())); caught(() => cloud.shared.set(make(), 1)); cloud.shared.delete('h')`) + `; cloud.shared.clear(); ctx.socket.data = null`,
    'returned by callbacks': inHandler(`ctx.socket.once('h', () => make()); caught(() => ctx.socket.emit('h')); setTimeout(() => make(), 0); caught(() => cloud.sockets.forEach(() => make()))`) + `; await new Promise((done) => setTimeout(done, 20))`,
    'given as options': inHandler(`caught(() => ctx.socket.send('x', make())); caught(() => cloud.sockets.send('x', make())); caught(() => ctx.socket.on('x', make())); await caught(() => fetch('http://127.0.0.1:9/', make()))?.catch?.(() => {}); ctx.socket.removeAllListeners('x')`)
  }
} satisfies ReachAttack
