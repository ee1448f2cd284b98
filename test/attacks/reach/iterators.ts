import type { ReachAttack } from '../attack.ts'

export default {
  name: 'Iterators of the tenant’s own making',
  layer: 'guest',
  holds: 'Lists are read by index or by a native iterator; the tenant’s iterators see nothing of the guest.',
  variants: {
    'in except': `const seen = []; const list = { length: 1, 0: ctx.socket, [Symbol.iterator]() { seen.push(this); return { next: (...a) => { seen.push(this, ...a); return { done: seen.length > 20, value: ctx.socket } }, return(...a) { seen.push(...a) } } } }; caught(() => cloud.sockets.send('x', { except: list })); return look(seen, 'seen')`,
    'on Array.prototype': `const seen = []; const old = Array.prototype[Symbol.iterator]; Array.prototype[Symbol.iterator] = function () { seen[seen.length] = this; return old.call(this) }; try { ctx.socket.send('x'); cloud.sockets.send('x', { except: [ctx.socket] }); console.log('x', [1]); cloud.shared.set('i', [1]); cloud.sockets.in('r').send('x') } finally { Array.prototype[Symbol.iterator] = old; cloud.shared.delete('i') } return look(seen, 'seen')`,
    'on the iterators of Map and Set': `const seen = []; const P = Object.getPrototypeOf(new Map().entries()); const old = P.next; P.next = function () { seen[seen.length] = this; return old.call(this) }; try { cloud.shared.set('m', new Map([[1, 2]])); ctx.socket.join('a'); cloud.sockets.send('x') } finally { P.next = old; cloud.shared.delete('m') } const sizes = new Set([...cloud.sockets]); return look(seen, 'seen')`,
    'of the views that the platform gives': `const seen = [...cloud.sockets, ...ctx.socket.rooms, cloud.sockets[Symbol.iterator](), Object.getPrototypeOf(cloud.sockets[Symbol.iterator]()), ...cloud.shared.entries()]; return look(seen, 'seen')`
  }
} satisfies ReachAttack
