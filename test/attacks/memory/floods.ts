import type { GreedyAttack } from '../attack.ts'

export default {
  name: 'Floods of what leaves the isolate: timers, log lines, messages, rooms, errors',
  layer: 'guest',
  holds: 'Each has a limit in the guest: a RangeError, or a count of what was dropped. Neither the worker nor the gateway takes more than that.',
  variants: {
    'timers': { at: 'message', code: 'for (let i = 0; i < 1e6; i++) setTimeout(() => {}, 1e6)' },
    'log lines': { at: 'message', limits: { turnCpuMs: 1000 }, code: `for (let i = 0; i < 1e6; i++) console.log('x'.repeat(100))` },
    'huge log lines and errors': { at: 'message', limits: { turnCpuMs: 1000 }, code: `for (let i = 0; i < 10; i++) console.log('x'.repeat(1e6)); throw new Error('y'.repeat(5e6))` },
    'commands': { at: 'message', limits: { turnCpuMs: 1000 }, code: `for (let i = 0; i < 1e6; i++) cloud.sockets.in('nobody').send('x')` },
    'rooms': { at: 'message', limits: { turnCpuMs: 1000 }, code: `for (let i = 0; i < 1e5; i++) ctx.socket.join('room ' + i)` },
    'listeners and sockets that are kept': { at: 'message', code: `for (let i = 0; i < 5e4; i++) { ctx.socket.on('x' + i, () => {}); kept.push(ctx.socket, ctx) }` },
    'shared values': { at: 'message', limits: { turnCpuMs: 1000 }, code: `for (let i = 0; i < 1e5; i++) cloud.shared.set('k' + i, i)` },
    'requests': { at: 'message', limits: { turnCpuMs: 1000 }, code: `for (let i = 0; i < 1e4; i++) void fetch('http://127.0.0.1:9/' + i).catch(() => {})` }
  }
} satisfies GreedyAttack
