import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from '../support/client.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

const FILL = `
  import cloud from '@lafjs/cloud'
  export async function main({ method, socket, params }) {
    const { shared } = cloud
    if (method === 'WebSocket:connection') {
      shared.set('users', new Map([['ann', { socket, since: new Date(0), tags: new Set(['a']) }]]))
      shared.set('count', 3)
      shared.set(7, 'a number')
      shared.set({ an: 'object' }, 'an object')
    }
    if (method === 'WebSocket:message') socket.send(JSON.stringify([...shared.keys()]))
  }`

it('shared values can be listed, looked at and removed, while the app runs and while it sleeps', async () => {
  await platform.app('inspected', { __websocket__: FILL })
  const client = await connect(platform.url('inspected'))
  const keys = async (): Promise<unknown> => {
    client.send('?')
    return JSON.parse(String(await client.next()))
  }
  expect(await keys()).toEqual(['users', 'count', 7, { an: 'object' }])
  const { json: list } = await platform.admin('GET', '/apps/inspected/shared')
  expect(list.items.map(({ key, kind }: { key: string; kind: string }) => [key, kind])).toEqual([
    ['users', 'map'],
    ['count', 'number'],
    ['$7', 'string'],
    [expect.stringMatching(/^\$bytes:/), 'string']
  ])
  expect(list.items[0].bytes).toBeGreaterThan(50)
  const { json: users } = await platform.admin('GET', '/apps/inspected/shared/users')
  expect(JSON.stringify(users.value)).toContain('1970-01-01T00:00:00.000Z')
  const { json: connections } = await platform.admin('GET', '/apps/inspected/connections')
  expect(JSON.stringify(users.value)).toContain(connections.items[0].id)
  expect((await platform.admin('GET', '/apps/inspected/shared/nothing')).status).toBe(404)

  // Through the isolate, which has it in its memory.
  expect((await platform.admin('DELETE', `/apps/inspected/shared/${encodeURIComponent(list.items[3].key)}`)).status).toBe(204)
  expect((await platform.admin('DELETE', '/apps/inspected/shared/count')).status).toBe(204)
  expect((await platform.admin('DELETE', '/apps/inspected/shared/count')).status).toBe(404)
  expect(await keys()).toEqual(['users', 7])

  // Behind its back.
  await platform.admin('PATCH', '/apps/inspected', { limits: { idleMs: 100 } })
  await until('it sleeps', async () => (await platform.admin('GET', '/apps/inspected/stats')).json.hibernated)
  expect((await platform.admin('DELETE', '/apps/inspected/shared/$7')).status).toBe(204)
  expect(await keys()).toEqual(['users'])

  // Another app with the same name has nothing of it.
  await client.close()
  expect((await platform.admin('DELETE', '/apps/inspected')).status).toBe(204)
  await platform.app('inspected', { __websocket__: FILL.replace(/if \(method === 'WebSocket:connection'\) \{[^}]*\}[^}]*\}[^}]*\}/, '') })
  expect((await platform.admin('GET', '/apps/inspected/shared')).json.items).toEqual([])
})
