import type { GreedyAttack } from '../attack.ts'

export default {
  name: 'Endless loops, wherever code of the tenant runs',
  layer: 'worker',
  holds: 'The turn is ended at its limit of CPU, the isolate is replaced, the event is dropped after its second death; no connection closes.',
  variants: {
    'in a handler': { at: 'message', code: 'for (;;) {}' },
    'in a timer': { at: 'timer', code: 'for (;;) {}' },
    'in a listener': { at: 'listener', code: 'while (true) kept.length = 0' },
    'in a request': { at: 'request', code: 'for (;;) {}' },
    'in the upgrade hook': { at: 'upgrade', code: 'for (;;) {}' },
    'in the close handler': { at: 'close', code: 'for (;;) {}' },
    'while a module loads': { at: 'module', code: '' },
    'in a generator, and in a regular expression that backtracks': { at: 'message', code: `function* g() { for (;;) yield 1 } if (Math.random() < 0.5) for (const one of g()) kept.length = 0; else /^(a+)+$/.test('a'.repeat(40) + 'b')` }
  }
} satisfies GreedyAttack
