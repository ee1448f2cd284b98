import type { ReachAttack } from '../attack.ts'

export default {
  name: 'Species, subclasses and odd views of bytes',
  layer: 'guest',
  holds: 'Bytes that are sent or stored are copied from where they are; a subclass is handed nothing of the guest’s.',
  variants: {
    'a typed array whose species is the tenant’s': `const seen = []; class Mine extends Uint8Array { constructor(...a) { super(...a); seen.push(...a, this) } static get [Symbol.species]() { return Mine } subarray(...a) { seen.push(this); return super.subarray(...a) } slice(...a) { seen.push(this); return super.slice(...a) } }; const m = new Mine(4); ctx.socket.send(m); cloud.sockets.send(m); cloud.shared.set('bytes', m); cloud.shared.delete('bytes'); return look(seen, 'seen') ?? (seen.some((s) => s instanceof ArrayBuffer) ? 'a buffer' : undefined)`,
    'lengths and buffers that lie': `const m = new Uint8Array(4); for (const k of ['length', 'byteLength', 'byteOffset', 'buffer']) Object.defineProperty(m, k, { get: () => k === 'buffer' ? ctx.params.data.buffer : 1e9 }); const e = caught(() => ctx.socket.send(m)); return look(e) ?? leak(e?.stack)`,
    'the buffer behind a message': `return ctx.params.data.buffer.byteLength > 1024 * 1024 ? 'more than the message' : Buffer.from(ctx.params.data.buffer).toString('latin1').includes('secret-of') ? 'a secret' : undefined`,
    'memory that is not cleared': `for (let i = 0; i < 50; i++) if (/secret-of|isolated/.test(Buffer.allocUnsafe(8192).toString('latin1'))) return 'a secret'`,
    'an array that grows while it is copied': `const list = [ctx.socket]; Object.defineProperty(list, 0, { get() { list.length = 1e6; return ctx.socket } }); const e = caught(() => cloud.sockets.send('x', { except: list })); return look(e) ?? leak(e?.stack)`,
    'a buffer that is detached while it is sent': `const b = new ArrayBuffer(8); const v = new Uint8Array(b); const e = caught(() => ctx.socket.send(v, { get binary() { structuredClone(b, { transfer: [b] }); return true } })); return look(e) ?? leak(e?.stack)`
  }
} satisfies ReachAttack
