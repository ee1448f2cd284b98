import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '1'] })
})
afterAll(() => platform.close())

const ECHO = `export function main({ method, params, socket }) { if (method === 'WebSocket:message') socket.send(params.data.toString()) }`

async function held(): Promise<string[]> {
  return (await platform.processes('worker')).flatMap(({ apps }) => apps).toSorted()
}

// The pool places an app as soon as it is asked what the app is, when that is for an upgrade (pool/calls.ts).
it('an upgrade that is refused for what the app is starts no isolate; one that is not, does', async () => {
  await platform.app('full', { __websocket__: ECHO })
  expect((await platform.admin('PATCH', '/apps/full', { limits: { connections: 0 } })).status).toBe(200)
  await platform.app('away', { __websocket__: ECHO })
  expect((await platform.admin('PATCH', '/apps/away', { state: 'suspended' })).status).toBe(200)
  await platform.app('plain', { hello: 'export default () => 1' })
  await platform.app('open', { __websocket__: ECHO })

  for (const [appid, status] of [['full', 429], ['away', 403], ['plain', 404]] as const) {
    await expect(connect(platform.url(appid))).rejects.toThrow(String(status))
  }
  // Behind those: what they had started would be there by now.
  const client = await connect(platform.url('open'))
  client.send('hello')
  expect(await client.next()).toBe('hello')
  expect(await held()).toEqual(['open'])
  client.close()
})
