import type { ReachAttack } from '../attack.ts'

export default {
  name: 'Connections and rooms of another app, by their names',
  layer: 'gateway',
  holds: 'An id, a room and a message reach connections of the own app only, whatever they are called.',
  variants: {
    'its connection id': ({ connection }) => `const s = cloud.sockets.get(${JSON.stringify(connection)}); return s && 'a socket of another app'`,
    'its id on an own socket': ({ connection }) => `const id = ${JSON.stringify(connection)}; const { socket } = ctx; caught(() => { socket.id = id }); caught(() => Object.defineProperty(socket, 'id', { value: id, configurable: true })); socket.send('forged'); const fake = Object.assign(Object.create(Object.getPrototypeOf(socket)), { id, gateway: 0, connection: 1 }); caught(() => fake.send('forged')); delete socket.id`,
    'numbers of its connections': () => `const P = Object.getPrototypeOf(ctx.socket); for (const k of Reflect.ownKeys(ctx.socket)) { const v = ctx.socket[k]; if (typeof v === 'number' && k !== 'binaryType') caught(() => { ctx.socket[k] = v + 1 }); if (typeof v === 'number' && ctx.socket[k] !== v) { ctx.socket[k] = v } }`,
    'its room': ({ room }) => `const r = cloud.sockets.in(${JSON.stringify(room)}); if (r.size) return 'members'; r.send('forged'); ctx.socket.join(${JSON.stringify(room)}); r.send('only us'); const n = r.size; ctx.socket.leave(${JSON.stringify(room)}); return n > 1 ? n + ' members' : undefined`,
    'rooms with its app in their names': ({ appid, room }) => `for (const n of ['${appid}/${room}', '${appid}:${room}', '../${appid}/${room}', '${room}\\0', '\\0${appid}', '', '*', '__proto__', 'constructor', '\\ud800']) { const r = caught(() => cloud.sockets.in(n)); if (r instanceof Error) continue; caught(() => r.send('forged')); caught(() => ctx.socket.join(n)); caught(() => r.send('x')); const size = caught(() => r.size); caught(() => ctx.socket.leave(n)); if (size > 1) return n }`,
    'all sockets': () => `return [...cloud.sockets].length === 1 ? undefined : 'sockets of others'`,
    'its id as who is left out': ({ connection }) => `caught(() => cloud.sockets.send('x', { except: { id: ${JSON.stringify(connection)} } })); caught(() => cloud.sockets.send('x', { except: [{ gateway: 0, number: 1 }, ${JSON.stringify(connection)}] }))`
  }
} satisfies ReachAttack
