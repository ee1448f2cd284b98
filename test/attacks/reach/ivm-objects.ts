import type { ReachAttack } from '../attack.ts'

export default {
  name: 'Objects of isolated-vm',
  layer: 'guest',
  holds: 'No Reference, ExternalCopy, Callback, Isolate or Context is in reach of anything that a tenant can hold.',
  variants: {
    'in the global object, deep': `return look(globalThis, 'globalThis', 0)`,
    'behind randomness': `return look([crypto.getRandomValues, crypto.randomUUID, crypto, caught(() => crypto.getRandomValues(new Uint8Array(4))), caught(() => crypto.getRandomValues({}))], 'crypto')`,
    'in what is thrown by randomness': `for (const call of [() => crypto.getRandomValues(new Uint8Array(1e9)), () => crypto.getRandomValues.call({}, 1), () => require('crypto').randomBytes(-1), () => require('crypto').randomBytes(1e12)]) { const e = caught(call); const found = look(e) ?? leak(e?.stack); if (found) return found }`,
    'by names that isolated-vm uses': `for (const n of ['ivm', '_ivm', '$0', 'isolate', 'context', 'global', 'jail', '__socklet_boot', 'apply', 'applySync', 'derefInto', 'copySync']) if (n !== 'global' && n in globalThis) return n`,
    'with symbols': `for (const s of Object.getOwnPropertySymbols(globalThis)) { const found = look(globalThis[s], String(s)); if (found) return found } for (const o of [ctx, ctx.socket, cloud, cloud.sockets, cloud.shared]) for (const s of Object.getOwnPropertySymbols(o)) { const found = look(o[s], String(s)); if (found) return found }`
  }
} satisfies ReachAttack
