import { expect } from 'vitest'
import { connect } from '../support/client.ts'
import type { Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import type { GreedyAttack } from './attack.ts'
import { expectNothingOfOthers, logOf } from './bystander.ts'

type Variant = GreedyAttack['variants'][string]

/** Generous to the machine, not to the tenant: an endless loop costs this for each of its two lives. */
const LIMITS = { turnCpuMs: 150, heapMiB: 16, handlerMs: 2_000 }

function source({ at, code }: Variant): string {
  const go: Partial<Record<Variant['at'], string>> = {
    message: code,
    timer: `setTimeout(() => { ${code} }, 0); return`,
    listener: `ctx.socket.once('go', () => { ${code} }); ctx.socket.emit('go'); return`
  }
  return `
    import cloud from '@lafjs/cloud'
    const kept = []
    ${at === 'upgrade' ? `export function upgrade(ctx) { if (ctx.query.go) { ${code} } }` : ''}
    export async function main(ctx) {
      if (ctx.method === 'WebSocket:close' && ${at === 'close'} && ctx.params.code === 4000) { ${at === 'close' ? code : ''} }
      if (ctx.method !== 'WebSocket:message') return
      const text = ctx.params.data.toString()
      if (text !== 'go') return ctx.socket.send('alive ' + text)
      ${go[at] ?? ''}
    }`
}

/** Runs it beside a client of the same app, and expects that the app works again afterwards, and that this client never noticed. */
export async function attack(platform: Platform, appid: string, variant: Variant): Promise<void> {
  await platform.app(appid, { __websocket__: source(variant), request: variant.at === 'request' ? `const kept = []\nexport default function (ctx) { ${variant.code} }` : 'export default () => 1' })
  await platform.admin('PATCH', `/apps/${appid}`, { limits: { ...LIMITS, ...variant.limits } })
  const client = await connect(platform.url(appid))
  client.send('before')
  expect(await client.next()).toBe('alive before')
  await trigger(platform, appid, variant.at, (text) => client.send(text))
  client.send('after')
  await client.nextMatching(/^alive after$/)
  expect(client.ws.readyState).toBe(client.ws.OPEN)
  await client.close()
  for (const { message } of await logOf(platform, appid)) expectNothingOfOthers(message)
}

async function trigger(platform: Platform, appid: string, at: Variant['at'], send: (text: string) => void): Promise<void> {
  if (at === 'request') await platform.request(appid, '/request')
  else if (at === 'upgrade') await connect(platform.url(appid, '/__websocket__?go=1')).catch(() => {})
  else if (at === 'close') await (await connect(platform.url(appid))).close(4000)
  else if (at === 'module') await publishModule(platform, appid)
  else send('go')
}

/** Code that never ends while it loads is found at the publish: the old version goes on. */
async function publishModule(platform: Platform, appid: string): Promise<void> {
  const refused = await until('the publish is answered', () => platform.admin('PUT', `/apps/${appid}/functions/endless`, 'for (;;) {}; export default 1'))
  expect(refused.status).toBe(422)
  expectNothingOfOthers(refused.text)
}
