import type { ReachAttack } from '../attack.ts'

export default {
  name: 'toJSON, toString, valueOf and Symbol.toPrimitive',
  layer: 'guest',
  holds: 'They are called with the tenant’s own object, if at all; what they give is text or an error of the tenant’s.',
  variants: {
    'of what is stringified': `const seen = []; JSON.stringify({ toJSON(...a) { seen.push(this, ...a, caught(() => arguments.callee.caller)); return 1 } }); return look(seen, 'seen')`,
    'of what is sent': `const seen = []; const o = { toJSON() { seen.push(this); return o }, toString() { seen.push(this, caught(() => arguments.callee.caller)); return {} }, valueOf() { seen.push(this); return {} }, [Symbol.toPrimitive](...a) { seen.push(this, ...a); return {} } }; caught(() => ctx.socket.send(o)); caught(() => ctx.socket.close(o, o)); return look(seen, 'seen')`,
    'of what is logged': `const seen = []; const o = { toString() { seen.push(this); throw o }, toJSON() { seen.push(this) }, [Symbol.for('nodejs.util.inspect.custom')](...a) { seen.push(this, ...a); return o } }; console.log(o, '%s', o); console.log('%s %d %i %j', o, o, o, o); return look(seen, 'seen')`,
    'of names and numbers': `const seen = []; const o = { toString() { seen.push(this); return 'x' }, valueOf() { seen.push(this); return 1 } }; caught(() => setTimeout(() => {}, o)); caught(() => clearTimeout(o)); caught(() => ctx.socket.join(o)); caught(() => require(o)); caught(() => cloud.sockets.get(o)); caught(() => Buffer.alloc(o)); return look(seen, 'seen')`
  }
} satisfies ReachAttack
