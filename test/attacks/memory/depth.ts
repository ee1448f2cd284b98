import type { GreedyAttack } from '../attack.ts'

export default {
  name: 'Depth: recursion, nested JSON, nested values, nested errors',
  layer: 'guest',
  holds: 'It is a RangeError of the tenant’s or a refusal, and where the process dies of it, the others are answered by another worker.',
  killsWorkers: true,
  variants: {
    'recursion': { at: 'message', code: 'const f = (n) => f(n + 1) + 1; try { f(0) } catch {} const g = () => { try { g() } finally { g() } }; try { g() } catch {}' },
    'JSON': { at: 'message', code: `try { JSON.parse('['.repeat(5e5) + ']'.repeat(5e5)) } catch {} let o = []; for (let i = 0; i < 1e5; i++) o = [o]; try { JSON.stringify(o) } catch {}` },
    'a value that is stored and logged': { at: 'message', limits: { turnCpuMs: 1000 }, code: `let o = {}; for (let i = 0; i < 20_000; i++) o = { o }; try { cloud.shared.set('deep', o) } catch {} try { ctx.socket.data = o } catch {} try { structuredClone(o) } catch {} console.log(o)` },
    'causes of an error': { at: 'message', limits: { turnCpuMs: 1000 }, code: `let e = new Error('x'); for (let i = 0; i < 1e4; i++) e = new Error('x', { cause: e }); console.log(e); throw e` },
    'a regular expression': { at: 'message', code: `try { new RegExp('('.repeat(1e5) + ')'.repeat(1e5)) } catch {} try { new RegExp('(?:a{1,1000}){1,1000}').test('a'.repeat(100)) } catch {}` }
  }
} satisfies GreedyAttack
