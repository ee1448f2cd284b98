import { expect } from 'vitest'
import type { ClientAttack } from '../attack.ts'
import { expectRefused } from '../clients.ts'

export default {
  name: 'Names and queries: injection and path traversal',
  layer: 'console',
  holds: 'A name is one of its pattern or 400; a query is data for a prepared statement; no path leaves the app.',
  variants: {
    'appids': async (platform) => {
      for (const appid of ["a' OR 1=1 --", '../x', 'a/b', '__proto__', 'A', '', 'a\0b', 'a%00', { $ne: null }, ['a'], 1]) expectRefused(await platform.admin('POST', '/apps', { appid }), 400)
    },
    'function names': async (platform) => {
      for (const name of ['..%2Fx', '%2Fetc%2Fpasswd', 'a%2F..%2F..%2Fbystander', 'a%00', '.%2Fx', 'a%5C..%5Cx', '%2e%2e%2f%2e%2e', 'x'.repeat(300)]) expectRefused(await platform.admin('PUT', `/apps/other/functions/${name}`, 'export default 1'), 400, 404)
    },
    'queries': async (platform) => {
      for (const query of ['level=%27%20OR%201=1', 'before=1;DROP TABLE lines', 'limit=-1', 'limit=1e9', 'limit[$gt]=1', 'function[]=a', 'level=__proto__']) expectRefused(await platform.admin('GET', `/apps/other/logs?${query}`), 400)
      const { json } = await platform.admin('GET', "/apps/other/logs?function=' OR appid='bystander")
      expect(json.items).toEqual([])
      for (const cursor of ["' OR 1=1", '{"$gt":""}', '../', 'AAAA']) expectRefused(await platform.admin('GET', `/apps?cursor=${encodeURIComponent(cursor)}`), 400)
    },
    'names of variables': async (platform) => {
      for (const name of ['a b', '', '1a', 'a=b', 'a\n', 'x'.repeat(10_000)]) expectRefused(await platform.admin('PUT', '/apps/other/env', { [name]: 'x' }), 400, 422)
      for (const value of [1, null, {}, ['x']]) expectRefused(await platform.admin('PUT', '/apps/other/env', { A: value }), 400)
    },
    'keys of the store and ids of connections': async (platform) => {
      for (const key of ['..%2F..%2Fbystander%2Fkey', '%00', "'%20OR%201=1", '__proto__', 'x'.repeat(3_000)]) expectRefused(await platform.admin('GET', `/apps/other/shared/${key}`), 400, 404)
      const { json } = await platform.admin('GET', '/apps/bystander/connections')
      expectRefused(await platform.admin('DELETE', `/apps/other/connections/${json.items[0].id}`), 404)
      expectRefused(await platform.admin('POST', `/apps/other/connections/${json.items[0].id}/send`, { data: 'forged' }), 404)
    }
  }
} satisfies ClientAttack
