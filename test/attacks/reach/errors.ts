import type { ReachAttack } from '../attack.ts'

const inspect = `if (!(error instanceof Error) && typeof error === 'object') return 'an error of another realm: ' + error; const found = look(error, 'error') ?? leak(error?.stack) ?? leak(error?.message) ?? look(error?.cause, 'cause'); if (found) return found`
const each = (calls: string): string => `for (const call of [${calls}]) { let error; try { await call(); continue } catch (e) { error = e } ${inspect} }`

export default {
  name: 'Errors that the platform throws',
  layer: 'guest',
  holds: 'Each is an Error of this isolate, and neither its text nor its stack names a file, a module or a value of the host.',
  variants: {
    'from sockets': each(`() => ctx.socket.send(Symbol()), () => ctx.socket.close(1), () => ctx.socket.close(1000, 'x'.repeat(200)), () => ctx.socket.ping('x'.repeat(200)), () => { ctx.socket.data = 'x'.repeat(100_000) }, () => { ctx.socket.data = { get a() { throw 1 } } }, () => ctx.socket.join(1), () => ctx.socket.join('x'.repeat(1e6)), () => ctx.socket.on('message')`),
    'from timers and fetch': each(`() => setTimeout(1), () => setInterval('code'), () => fetch('nonsense'), () => fetch('file:///etc/passwd'), () => fetch({}), () => new Request('x'), () => new Response('', { status: 1 }), () => new WebSocket('ws://x'), () => queueMicrotask(1), () => process.nextTick(1)`),
    'from shared values': each(`() => cloud.shared.set('x', 'x'.repeat(1e6).split('').join('-').repeat(9)), () => cloud.shared.get.call(1), () => structuredClone(() => {}), () => structuredClone(Symbol())`),
    'from modules': each(`() => require('nothing'), () => require(''), () => require(1), () => require({ toString() { throw new Error('x') } }), () => import('nothing'), () => Buffer.alloc(-1), () => Buffer.from(null), () => new URL('x'), () => new TextDecoder('x'), () => atob('*')`),
    // With one frame more of stack left each time, it overflows at every place of the platform's code.
    'from a stack that overflows at every place of the platform': `for (const call of [() => ctx.socket.send('x'), () => console.log({ a: [1] }), () => require('@lafjs/cloud'), () => setTimeout(() => {}, 1), () => ctx.socket.join('r'), () => cloud.shared.set('k', { a: [1] }), () => structuredClone({ a: {} }), () => new URL('http://x/'), () => { ctx.socket.data = { x: 1 } }, () => cloud.sockets.send('x'), () => Buffer.from('x').toString('hex')]) { let left = 100; const errors = []; const down = () => { try { down() } catch {} if (left-- > 0) try { call() } catch (e) { errors.push(e) } }; down(); for (const error of errors.slice(0, 20)) { ${inspect} } } cloud.shared.delete('k'); ctx.socket.leave('r')`
  }
} satisfies ReachAttack
