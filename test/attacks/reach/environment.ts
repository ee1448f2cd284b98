import type { ReachAttack } from '../attack.ts'

export default {
  name: 'Environment, sources and names of others',
  layer: 'worker',
  holds: 'The environment is the app’s own, and neither it nor an error, a stack or a source has anything of another app or of the platform.',
  variants: {
    'process.env': `return Object.keys(process.env).join() || undefined`,
    'names that the platform uses': `for (const n of ['PATH', 'HOME', 'SECRET', 'SOCKLET_ADMIN_TOKEN', 'SOCKLET_DATA', 'SOCKLET_MONGODB_URL', 'NODE_OPTIONS', '__proto__.PATH']) if (process.env[n] !== undefined) return n`,
    'prototype of the environment': `return look(process.env, 'env') ?? (Object.getPrototypeOf(process.env)?.SECRET)`,
    'sources of functions': `for (const o of [ctx, ctx.socket, cloud, require, console, globalThis]) for (const k of Reflect.ownKeys(o)) { const v = caught(() => o[k]); if (typeof v === 'function' && /secret-of/.test(Function.prototype.toString.call(v))) { if (k !== 'main') return String(k) } }`,
    'functions of another app': ({ appid }: { appid: string }) => `for (const n of ['@/../${appid}/__websocket__', '../${appid}/__websocket__', '${appid}/__websocket__', '@/${appid}']) if (!(caught(() => require(n)) instanceof Error)) return n; const f = cloud.invoke; if (f) { const got = await f.call(cloud, '../${appid}/__websocket__', {}).catch((e) => e); if (!(got instanceof Error)) return 'invoked' ; return leak(got.stack) }`,
    'another app id': ({ appid }: { appid: string }) => `const before = cloud.appid; caught(() => { cloud.appid = '${appid}' }); caught(() => Object.defineProperty(cloud, 'appid', { value: '${appid}' })); caught(() => { process.env.APPID = '${appid}' }); const v = cloud.shared.get('key'); caught(() => { cloud.appid = before }); delete process.env.APPID; return v`
  }
} satisfies ReachAttack
