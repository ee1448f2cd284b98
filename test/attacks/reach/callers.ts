import type { ReachAttack } from '../attack.ts'

export default {
  name: 'The caller of a callback',
  layer: 'guest',
  holds: 'Whoever is called by the guest can see no function of it: neither by `caller`, nor by `arguments`, nor as `this`.',
  variants: {
    'of a timer': `return await new Promise((done) => setTimeout(function f() { done(look([this, f.caller, caught(() => arguments.callee.caller), arguments.length ? [...arguments] : 0], 'timer') ?? (f.caller ? 'a caller' : undefined)) }, 1))`,
    'of a listener': `let got; ctx.socket.once('attack', function f(...a) { got = look([this, f.caller, ...a], 'listener') }); ctx.socket.emit('attack', 1); return got`,
    'of a callback after a message': `return await new Promise((done) => ctx.socket.send('x', function f(...a) { done(look([this, f.caller, ...a], 'callback') ?? (f.caller ? 'a caller' : undefined)) }))`,
    'of forEach': `let got; cloud.sockets.forEach?.(function f(...a) { got = look([this, f.caller, ...a], 'forEach') ?? (f.caller ? 'a caller' : undefined) }); return got`,
    'of a getter and a setter': `let got; const o = { get except() { return undefined } }; Object.defineProperty(o, 'binary', { get: function f() { got = look([this, f.caller], 'getter') ?? (f.caller ? 'a caller' : undefined) } }); caught(() => ctx.socket.send('x', o)); return got`
  }
} satisfies ReachAttack
