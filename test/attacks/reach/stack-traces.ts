import type { ReachAttack } from '../attack.ts'

export default {
  name: 'Stack traces that are given as objects',
  layer: 'guest',
  holds: 'Error.prepareStackTrace is never called; a stack is text, without frames of the host and without functions of the guest.',
  variants: {
    'set on Error': `let seen; Error.prepareStackTrace = (e, sites) => { seen = sites; return sites }; try { new Error().stack; null.x } catch (e) { e.stack } return seen && 'call sites'`,
    'defined on Error': `let seen; caught(() => Object.defineProperty(Error, 'prepareStackTrace', { value: (e, sites) => { seen = sites } })); new Error().stack; ctx.socket.send.call; caught(() => ctx.socket.close(1))?.stack; return seen && 'call sites'`,
    'captured': `let seen; const o = {}; const old = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace'); if (old?.configurable) return 'a property that can be replaced'; Error.captureStackTrace?.(o); return look(o.stack) ?? leak(o.stack)`,
    'on errors of other kinds': `let seen; for (const E of [TypeError, RangeError, SyntaxError, AggregateError, EvalError]) { caught(() => { E.prepareStackTrace = (e, s) => { seen = s } }); caught(() => new E([], 'x').stack) } return seen && 'call sites'`,
    'on a subclass and on the prototype': `let seen; class Mine extends Error { static prepareStackTrace(e, s) { seen = s } }; new Mine().stack; caught(() => { Object.prototype.prepareStackTrace = (e, s) => { seen = s } }); new Error().stack; delete Object.prototype.prepareStackTrace; return seen && 'call sites'`,
    'with a limit without end': `Error.stackTraceLimit = Infinity; let stack; const down = (n) => { if (n === 0) { stack = new Error().stack; return } down(n - 1) }; down(100); Error.stackTraceLimit = 10; return leak(stack)`
  }
} satisfies ReachAttack
