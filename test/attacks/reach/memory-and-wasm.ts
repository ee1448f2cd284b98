import type { ReachAttack } from '../attack.ts'

export default {
  name: 'SharedArrayBuffer, Atomics, WebAssembly, FinalizationRegistry, resizable buffers',
  layer: 'guest',
  holds: 'None of them is there, under its name or in any other way: each is a way around the memory limit or the watch over turns.',
  variants: {
    'by name': `for (const n of ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'FinalizationRegistry']) if (typeof globalThis[n] !== 'undefined' || caught(() => (0, eval)(n)) instanceof Error === false) return n`,
    'by searching all objects': `const seen = new Set(); const go = (v, d) => { if ((typeof v !== 'object' && typeof v !== 'function') || v === null || seen.has(v) || d > 6) return; seen.add(v); const tag = caught(() => Object.prototype.toString.call(v)); if (['[object SharedArrayBuffer]', '[object Atomics]', '[object WebAssembly]', '[object FinalizationRegistry]'].includes(tag)) return tag; for (const k of Reflect.ownKeys(v)) { const x = Reflect.getOwnPropertyDescriptor(v, k); const got = go(x?.value, d + 1) ?? go(x?.get, d + 1); if (got) return got } return go(Reflect.getPrototypeOf(v), d + 1) }; return go(globalThis, 0)`,
    'a resizable buffer': `for (const make of [() => new ArrayBuffer(8, { maxByteLength: 1e9 }), () => Reflect.construct(ArrayBuffer, [8, { maxByteLength: 1e9 }]), () => new (new ArrayBuffer(1).constructor)(8, { maxByteLength: 1e9 }), () => new (Object.getPrototypeOf(ArrayBuffer.prototype).constructor)(8), () => new (ArrayBuffer.prototype.constructor)(8, { maxByteLength: 1e9 })]) { const b = caught(make); if (b instanceof ArrayBuffer && b.resizable) return 'resizable' }`,
    'the native ArrayBuffer': `class Sub extends ArrayBuffer {}; for (const b of [new Uint8Array(1).buffer, new Sub(1), structuredClone(new ArrayBuffer(1)), new ArrayBuffer(2).slice(0, 1), Buffer.alloc(1).buffer, ctx.params.data.buffer, new ArrayBuffer(1).transfer?.()]) { if (!b) continue; const C = b.constructor; const made = caught(() => new C(1, { maxByteLength: 100 })); if (made?.resizable) return 'resizable' }`,
    'by structuredClone and transfer': `const b = new ArrayBuffer(8); const c = structuredClone(b, { transfer: [b] }); return c.resizable || caught(() => c.resize(100)) instanceof Error === false ? 'resizable' : undefined`,
    'the boot function and other globals of the platform': `return Reflect.ownKeys(globalThis).filter((k) => /socklet|ivm|isolat|snapshot|__/i.test(String(k)) && !/^__(define|lookup|proto)/.test(String(k))).join() || undefined`
  }
} satisfies ReachAttack
