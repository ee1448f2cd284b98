import type { ReachAttack } from '../attack.ts'

export default {
  name: 'Thenables and promises of the tenant’s own making',
  layer: 'guest',
  holds: 'The functions that `then` is given are of this isolate, and calling them twice or never settles nothing but the tenant’s own handler.',
  variants: {
    'awaited': `let seen; await { then(a, b) { seen = [this, a, b]; a() ; b(); a() } }; return look(seen, 'seen')`,
    'with a getter': `const seen = []; await { get then() { seen.push(this); return (a) => a() } }; return look(seen, 'seen')`,
    'a subclass with its own then': `const seen = []; class P extends Promise { then(a, b) { seen.push(a, b); return super.then(a, b) } static get [Symbol.species]() { return P } }; await P.resolve(1); await fetch.call(null, 'http://127.0.0.1:9/').catch(() => {}); return look(seen, 'seen')`,
    'an own then on a native promise': `const seen = []; const p = Promise.resolve(1); p.then = function (a, b) { seen.push(this, a, b); return Promise.prototype.then.call(this, a, b) }; Object.defineProperty(p, 'constructor', { get() { seen.push(this); return Promise } }); await p; return look(seen, 'seen')`,
    'a callable Proxy': `const seen = []; await new Proxy(function () {}, { get(t, k) { if (k === 'then') return (...a) => { seen.push(...a); a[0]() } } }); return look(seen, 'seen')`
  }
} satisfies ReachAttack
