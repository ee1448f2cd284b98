import { createHmac } from 'node:crypto'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { Answer, Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { connectJson } from './json-client.ts'
import { publishSample } from './publish.ts'

const SECRET = 'only the tests know it'
const KEY = 'key of the server'

function tokenFor(user: string): string {
  return `${user}.${createHmac('sha256', SECRET).update(user).digest('hex')}`
}

export function notificationsSample(platform: () => Platform): void {
  const notify = (user: string, text: string, key = KEY): Promise<Answer> =>
    platform().request('notifications', '/notify', {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ user, text })
    })

  it('accepts tokens in the subprotocol and in the query string, and pushes to all sockets of a user', async () => {
    await publishSample(platform(), 'notifications')
    await platform().admin('PUT', '/apps/notifications/env', { TOKEN_SECRET: SECRET, NOTIFY_KEY: KEY })
    const url = platform().url('notifications')
    const tab = await connectJson(url, { protocols: ['notifications', tokenFor('ann')] })
    const phone = await connectJson(`${url}?token=${tokenFor('ann')}`)
    const bob = await connectJson(url, { protocols: ['notifications', tokenFor('bob')] })
    expect(tab.raw.ws.protocol).toBe('notifications')
    expect(phone.raw.ws.protocol).toBe('')
    for (const client of [tab, phone]) expect(await client.next()).toEqual({ type: 'hello', user: 'ann' })
    expect(await bob.next()).toEqual({ type: 'hello', user: 'bob' })

    expect((await notify('ann', 'lunch')).json).toEqual({ reached: 2 })
    for (const client of [tab, phone]) expect(await client.next()).toEqual({ type: 'notification', text: 'lunch' })
    await phone.close()
    // The client knows of its end before the gateway does.
    await until('the phone is gone', async () => (await platform().admin('GET', '/apps/notifications/connections')).json.items.length === 2)
    expect((await notify('ann', 'tea')).json).toEqual({ reached: 1 })
    expect(await tab.next()).toEqual({ type: 'notification', text: 'tea' })
    expect((await notify('nobody', 'hello')).json).toEqual({ reached: 0 })
    expect((await notify('bob', 'hello', 'wrong')).status).toBe(401)
    // Nothing of all that was for Bob.
    expect((await notify('bob', 'at last')).json).toEqual({ reached: 1 })
    expect(await bob.next()).toEqual({ type: 'notification', text: 'at last' })
    await Promise.all([tab.close(), bob.close()])
  })

  const expectRefusal = async (protocols: string[], query = ''): Promise<void> =>
    expect(await refusal(platform().url('notifications') + query, protocols)).toEqual({
      status: 401,
      authenticate: 'Bearer',
      body: 'a valid token is needed'
    })

  it('refuses who has nothing like a token with 401 before the upgrade', async () => {
    await expectRefusal([])
    await expectRefusal(['notifications', 'x'])
  })

  it('refuses the token of somebody else, and a forged one, with 401 before the upgrade', async () => {
    await expectRefusal(['notifications', tokenFor('ann').replace('ann', 'bob')])
    await expectRefusal([], `?token=ann.${'0'.repeat(64)}`)
  })
}

function refusal(url: string, protocols: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, protocols)
    ws.on('open', () => reject(new Error('it was accepted')))
    ws.on('error', reject)
    ws.on('unexpected-response', (_, response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode, authenticate: response.headers['www-authenticate'], body }))
    })
  })
}
