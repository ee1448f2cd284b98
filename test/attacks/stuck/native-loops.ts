import type { GreedyAttack } from '../attack.ts'

export default {
  name: 'Native loops that V8 does not interrupt',
  layer: 'pool',
  holds: 'Nothing in the process can end them: the worker says that it is lost, its apps move, and the pool kills it. The event is dropped after its second death.',
  killsWorkers: true,
  variants: {
    'a fill of a billion': { at: 'message', code: 'new Array(1e9).fill(0)' },
    'a search in an object of great length': { at: 'message', code: 'Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)' },
    'long arithmetic': { at: 'message', code: 'const x = 7n ** 5_000_000n; kept.push((x * x).toString().length)' }
  }
} satisfies GreedyAttack
