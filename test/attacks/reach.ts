import type { ReachAttack, Victim } from './attack.ts'

/** What the variants are given: `look(value)` says where in a value something lies that is not of this isolate. */
const TOOLS = `
const HOST = ['Reference', 'ExternalCopy', 'Isolate', 'Context', 'Callback', 'NativeModule', 'Script']
const rootOf = (value) => { let root = value; for (let i = 0; i < 100; i++) { const next = Reflect.getPrototypeOf(root); if (next === null) return root; root = next } return root }
const isForeign = (value) => {
  const root = rootOf(value)
  if (root !== Object.prototype && Object.hasOwn(root, 'hasOwnProperty')) return 'another realm'
  if (typeof value === 'function' && HOST.includes(value.name) && !String(value).includes('{')) return value.name
  const own = value.constructor
  if (typeof own === 'function' && HOST.includes(own.name)) return own.name
  if (value !== globalThis && typeof value.binding === 'function' && typeof value.dlopen === 'function') return 'process of Node'
  if (typeof own === 'function') {
    let made
    try { made = own.constructor('return globalThis')() } catch {}
    if (made !== undefined && made !== globalThis) return 'another global'
  }
}
const look = (value, path = 'it', depth = 0, visited = new Set()) => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || visited.has(value) || depth > 4 || visited.size > 5000) return
  visited.add(value)
  let found
  try { found = isForeign(value) } catch {}
  if (found) return found + ' at ' + path
  let keys = []
  try { keys = Reflect.ownKeys(value) } catch {}
  for (const key of keys) {
    let d
    try { d = Reflect.getOwnPropertyDescriptor(value, key) } catch {}
    for (const part of d ? [d.value, d.get, d.set] : []) {
      found = look(part, path + '.' + String(key), depth + 1, visited)
      if (found) return found
    }
  }
  try { return look(Reflect.getPrototypeOf(value), path + '.__proto__', depth + 1, visited) } catch {}
}
const caught = (run) => { try { return run() } catch (error) { return error } }
/** Text that names a file, a module or a process of the host. */
const leak = (text) => /node:internal|isolated.vm|file:\\/\\/|node_modules|apps\\/runtime/.exec(String(text))?.[0]
`

/** A function whose client says which variant to run, and is told what that got hold of. */
export function reachSource(attacks: [string, ReachAttack][], victim: Victim): string {
  const variants = attacks.flatMap(([file, attack]) =>
    Object.entries(attack.variants).map(([name, body]) => `${JSON.stringify(`${file} ${name}`)}: async (ctx, cloud, { look, leak, caught }) => {\n${typeof body === 'string' ? body : body(victim)}\n}`)
  )
  return `
    import cloud from '@lafjs/cloud'
    ${TOOLS}
    const variants = { ${variants.join(',\n')} }
    export async function main(ctx) {
      if (ctx.method !== 'WebSocket:message') return
      const name = ctx.params.data.toString()
      const send = ctx.socket.send.bind(ctx.socket)
      if (name === 'well?') return send('well ' + [...cloud.sockets].length + ' ' + typeof ctx.requestId)
      let got
      try { got = await variants[name](ctx, cloud, { look, leak, caught }) } catch (error) { got = undefined; caught(() => console.log('refused: ' + name, error)) }
      send(JSON.stringify({ name, got: got === undefined ? null : String(got) }))
    }`
}
