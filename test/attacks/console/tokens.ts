import { expect } from 'vitest'
import type { ClientAttack } from '../attack.ts'
import { expectRefused } from '../clients.ts'

const withToken = (authorization: string, ...paths: string[]): ClientAttack['variants'][string] => async (platform) => {
  for (const path of paths.length > 0 ? paths : ['/apps', '/apps/bystander', '/apps/bystander/env', '/platform']) expectRefused(await platform.admin('GET', path, undefined, { authorization }), 401)
}

export default {
  name: 'Tokens that are missing, wrong, expired or another app’s',
  layer: 'console',
  holds: '401 without a valid token, 403 outside the app and the scopes of a token, whether or not what is asked for exists.',
  variants: {
    'none': withToken(''),
    'another scheme': withToken('Basic YWRtaW46YWRtaW4='),
    'an empty one': withToken('Bearer '),
    'a wrong one': withToken('Bearer secret-of-the-platform-012345678'),
    'a prefix and a longer one': async (platform) => {
      await withToken(`Bearer ${platform.token.slice(0, -1)}`)(platform)
      await withToken(`Bearer ${platform.token}x`)(platform)
    },
    'odd ones': async (platform) => {
      for (const token of ['null', 'undefined', '__proto__', `${platform.token},${platform.token}`, "' OR '1'='1", '*', '%', 'x'.repeat(8_000)]) await withToken(`Bearer ${token}`, '/apps')(platform)
    },
    'another app’s': async (platform) => {
      const { json } = await platform.admin('POST', '/apps/other/tokens', { name: 'mine', scopes: ['admin'] })
      const mine = { authorization: `Bearer ${json.token}` }
      expect((await platform.admin('GET', '/apps/other', undefined, mine)).status).toBe(200)
      for (const path of ['/apps/bystander', '/apps/nobody', '/apps/bystander/logs', '/apps/bystander/functions/__websocket__', '/apps/bystander/shared/key', '/apps/bystander/connections', '/platform']) expectRefused(await platform.admin('GET', path, undefined, mine), 403)
      for (const [method, path, body] of [['POST', '/apps', {}], ['DELETE', '/apps/bystander', undefined], ['PUT', '/apps/bystander/env', {}], ['POST', '/apps/bystander/restart', {}], ['PATCH', '/apps/other', { limits: { heapMiB: 1024 } }], ['POST', '/apps/other/../bystander/restart', {}], ['POST', '/apps/other%2F..%2Fbystander/restart', {}]] as const) {
        expectRefused(await platform.admin(method, path, body, mine), 400, 403, 404)
      }
    },
    'one that has expired, and one that was revoked': async (platform) => {
      const soon = await platform.admin('POST', '/apps/other/tokens', { name: 'past', scopes: ['read'], expiresAt: new Date(Date.now() - 1000).toISOString() })
      if (soon.status === 201) await withToken(`Bearer ${soon.json.token}`, '/apps/other')(platform)
      else expectRefused(soon, 400)
      const { json } = await platform.admin('POST', '/apps/other/tokens', { name: 'gone', scopes: ['read'] })
      await platform.admin('DELETE', `/apps/other/tokens/${json.id}`)
      await withToken(`Bearer ${json.token}`, '/apps/other')(platform)
    },
    'more scope than its own': async (platform) => {
      const { json } = await platform.admin('POST', '/apps/other/tokens', { name: 'reader', scopes: ['read'] })
      const reader = { authorization: `Bearer ${json.token}` }
      expectRefused(await platform.admin('POST', '/apps/other/tokens', { name: 'more', scopes: ['admin'] }, reader), 403)
      expectRefused(await platform.admin('PUT', '/apps/other/functions/f', 'export default 1', reader), 403)
    }
  }
} satisfies ClientAttack
