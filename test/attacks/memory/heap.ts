import type { GreedyAttack } from '../attack.ts'

export default {
  name: 'Memory of the heap: arrays, strings, buffers, Maps, closures, BigInts',
  layer: 'isolate',
  holds: 'The isolate ends at its limit and is replaced; the app’s clients stay, and other apps do not notice.',
  killsWorkers: true,
  variants: {
    'arrays': { at: 'message', code: 'for (;;) kept.push(new Array(1000).fill({}))' },
    'strings': { at: 'message', code: `let s = 'x'; for (;;) { s += s + 'y'; kept.push(s.slice(1)) }` },
    'buffers': { at: 'message', code: 'for (;;) kept.push(new Uint8Array(1e6).fill(1))' },
    'Maps and Sets': { at: 'message', code: 'const m = new Map(); for (let i = 0; ; i++) m.set(i, new Set([i]))' },
    'closures and BigInts': { at: 'message', code: 'for (let i = 1n; ; i = i * 3n + 1n) { const big = i << 1000n; kept.push(() => big) }' }
  }
} satisfies GreedyAttack
