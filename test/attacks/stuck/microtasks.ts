import type { GreedyAttack } from '../attack.ts'

export default {
  name: 'Microtasks without end',
  layer: 'worker',
  holds: 'They belong to the turn that began them, and end with it.',
  variants: {
    'a chain of promises': { at: 'message', code: 'const next = () => Promise.resolve().then(next); next()' },
    'an async loop': { at: 'message', code: 'for (;;) await null' },
    'queueMicrotask and nextTick': { at: 'message', code: 'const next = () => { queueMicrotask(next); process.nextTick(() => {}) }; next()' },
    'a thenable of itself': { at: 'message', code: 'const t = { then(a) { a(t) } }; await t' },
    'after the handler was answered': { at: 'timer', code: 'void (async () => { for (;;) await 0 })()' }
  }
} satisfies GreedyAttack
