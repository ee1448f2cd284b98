import type { GreedyAttack } from '../attack.ts'

export default {
  name: 'Handlers that never settle, or wait without end',
  layer: 'guest',
  holds: 'They are given up after their wall-clock limit; other events of the connection go on meanwhile.',
  variants: {
    'a promise that nobody settles': { at: 'message', code: 'await new Promise(() => {})' },
    'a loop that waits': { at: 'message', code: 'for (;;) await new Promise((done) => setTimeout(done, 5))' },
    'ten thousand of them': { at: 'message', code: 'for (let i = 0; i < 10_000; i++) void new Promise(() => {}).then(() => {}); await new Promise(() => {})' },
    'a timer that sets itself': { at: 'message', code: 'const next = () => setTimeout(next, 0); next(); setInterval(() => {}, 0)' },
    'a chain of immediates': { at: 'message', code: 'const next = () => setImmediate(next); next()' }
  }
} satisfies GreedyAttack
