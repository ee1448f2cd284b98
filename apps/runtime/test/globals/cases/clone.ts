const values = [
  '1', "'x'", 'null', 'undefined', '5n', 'true', 'NaN', '-0', '[1, [2, 3]]', '{ a: { b: [1] } }', 'new Date(5)', 'new Date(NaN)', '/a/gi', 'new Map([[1, { a: 2 }]])', 'new Set([1, [2]])', 'new Uint8Array([1, 2, 3])', 'new Float64Array([1.5, -0])', 'new BigInt64Array([5n])', 'new Uint8Array([1, 2, 3]).buffer',
  'new DataView(new ArrayBuffer(4), 1, 2)', 'Object(5)', 'Object("ab")', 'Object(true)', 'Object(5n)', '[1, , 3]', 'new Array(3)', 'Object.assign([1], { x: 2 })', 'Object.create(null)', 'new (class A { x = 1; #y = 2; get z() { return 3 } })', '({ get a() { return 7 } })', 'Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true }, hidden: { value: 3 } })',
  'new Error("x")', 'new TypeError("y", { cause: { a: 1 } })', 'Object.assign(new RangeError("z"), { extra: 1 })', 'new (class MyError extends Error { name = "MyError" })("m")', 'new AggregateError([1], "agg")', 'new DOMException("m", "AbortError")', '{ [Symbol("s")]: 1, a: 2 }', 'new Uint16Array(new ArrayBuffer(8), 2, 2)', "JSON.parse('{\"__proto__\": 1}')", '(function () { return arguments })(1, 2)', 'new Set([new Map([[{}, new Set()]])])', 'new Proxy([1, 2], {}) && 1', 'Object.create(Date.prototype)', 'Object.create(Map.prototype)', '({ [Symbol.toStringTag]: "Map" })', 'Object.assign(new Map([[1, 2]]), { x: 1 })', 'Object.assign(new Date(1), { x: 1 })', 'Array.from({ length: 3 }, (_, i) => i)', 'new (class B extends Array {})(1, 2, 3)', 'new (class M extends Map {})([[1, 2]])'
]
const refused = ['() => {}', 'Symbol("s")', '{ f() {} }', 'new WeakMap()', 'new WeakSet()', 'new WeakRef({})', 'Promise.resolve()', '[class A {}]', 'new Map([[1, () => {}]])', 'Object(Symbol())', '(function* () {})()', '{ get a() { throw new RangeError("mine") } }']

const shape = `const d = v => typeof v !== 'object' || v === null ? String(v) : [Object.prototype.toString.call(v), Object.getPrototypeOf(v) === null ? 'null' : v.constructor?.name, v instanceof Map ? [...v].map(p => p.map(d)) : v instanceof Set ? [...v].map(d) : v instanceof Date ? v.getTime() : v instanceof RegExp ? String(v)
  : v instanceof Error ? [v.name, v.message, d(v.cause), typeof v.stack] : ArrayBuffer.isView(v) ? [v.byteOffset, v.byteLength, v.buffer.byteLength, ...new Uint8Array(v.buffer)] : v instanceof ArrayBuffer ? [...new Uint8Array(v)] : null, Reflect.ownKeys(v).filter(k => k !== 'stack').map(k => [String(k), ArrayBuffer.isView(v) ? '' : d(Object.getOwnPropertyDescriptor(v, k).value)])]; `

export default [
  ...values.map(value => `(() => { ${shape} return d(structuredClone(${value})) })()`),
  ...refused.map(value => `structuredClone(${value})`),
  'structuredClone()',
  '(() => { try { structuredClone(() => {}) } catch (e) { return [e.name, e.code, e.message, e instanceof DOMException, e instanceof Error] } })()',
  '(() => { const a = { x: {} }; a.self = a; a.y = a.x; const c = structuredClone(a); return [c !== a, c.self === c, c.x === c.y, c.x !== a.x] })()',
  '(() => { const m = new Map(); m.set("m", m); const c = structuredClone(m); return c.get("m") === c && c !== m })()',
  '(() => { const b = new ArrayBuffer(4); const c = structuredClone([new Uint8Array(b), new Uint16Array(b, 2)]); return [c[0].buffer === c[1].buffer, c[1].byteOffset] })()',
  '(() => { const e = new Error("a"); e.cause = e; const c = structuredClone(e); return c.cause === c })()',
  '(() => { const b = new Uint8Array([1, 2, 3]).buffer; const c = structuredClone({ b }, { transfer: [b] }); return [b.byteLength, b.detached, [...new Uint8Array(c.b)]] })()',
  '(() => { const v = new Uint8Array([1, 2, 3]); const c = structuredClone(v, { transfer: [v.buffer] }); return [v.byteLength, [...c]] })()',
  '(() => { const b = new ArrayBuffer(4); try { structuredClone({ b, f() {} }, { transfer: [b] }) } catch (e) { return [e.name, b.byteLength] } })()',
  'structuredClone(1, { transfer: [{}] })',
  '(() => { const b = new ArrayBuffer(4); return structuredClone(b, { transfer: [b, b] }) })()',
  '(() => { const b = new ArrayBuffer(4); b.transfer(); return structuredClone(b) })()',
  '(() => { const r = /a/g; r.lastIndex = 3; return structuredClone(r).lastIndex })()',
  'structuredClone({ a: 1 }) instanceof Object',
  '(() => { const o = {}; let at = o; for (let i = 0; i < 1000; i++) at = at.a = {}; let n = 0; for (let c = structuredClone(o); c; c = c.a) n++; return n })()',
  "(() => { const o = { a: 1, get b() { delete this.c; return 2 }, c: 3 }; return structuredClone(o) })()"
]
