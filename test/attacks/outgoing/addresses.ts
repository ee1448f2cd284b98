import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import type { ClientAttack } from '../attack.ts'

const addresses = (port: number): Record<string, string[]> => ({
  'this machine': [`http://127.0.0.1:${port}/`, `http://127.1:${port}/`, `http://0:${port}/`, `http://0.0.0.0:${port}/`, `http://2130706433:${port}/`, `http://0x7f.1:${port}/`, `http://017700000001:${port}/`, `http://[::1]:${port}/`, `http://[::]:${port}/`],
  'this machine, by its name': [`http://localhost:${port}/`, `http://LOCALHOST.:${port}/`, `http://x.localhost:${port}/`, `http://ip6-localhost:${port}/`],
  'private and link-local networks': ['http://10.0.0.1/', 'http://172.16.0.1/', 'http://192.168.0.1/', 'http://100.64.0.1/', 'http://169.254.1.1/', 'http://[fe80::1]/', 'http://[fc00::1]/', 'http://[fd00::1]/'],
  'metadata of clouds': ['http://169.254.169.254/latest/meta-data/', 'http://[fd00:ec2::254]/', 'http://100.100.100.200/', 'http://168.63.129.16/', 'http://2852039166/'],
  'IPv4 in IPv6': [`http://[::ffff:127.0.0.1]:${port}/`, `http://[::ffff:7f00:1]:${port}/`, `http://[::127.0.0.1]:${port}/`, `http://[64:ff9b::7f00:1]:${port}/`, `http://[2002:7f00:1::]:${port}/`, `http://[2001:0:7f00:1::]/`],
  'other schemes': ['file:///etc/passwd', 'ftp://127.0.0.1/', 'gopher://127.0.0.1/', 'data:text/plain,x', 'ws://127.0.0.1/', 'unix:/var/run/docker.sock', 'javascript:1'],
  'names and passwords in the URL': [`http://example.com@127.0.0.1:${port}/`, `http://127.0.0.1:${port}#@example.com/`, `http://example.com:80@localhost:${port}/`]
})
const FETCHER = `export default async (ctx) => { const got = []; for (const url of ctx.body.urls) got.push(await fetch(url, { signal: AbortSignal.timeout(5000) }).then((r) => url + ' answered ' + r.status, () => null)); return got }`

/** A server of this machine that nobody may reach; the connections that it had. */
async function withServer(use: (port: number, hits: () => number) => Promise<void>): Promise<void> {
  let hits = 0
  const server = createServer((_, response) => response.end('secret')).on('connection', () => hits++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await use((server.address() as AddressInfo).port, () => hits)
  } finally {
    server.close()
  }
}

export default {
  name: 'Outgoing requests to what is not public',
  layer: 'pool',
  holds: 'Every address of the name is checked, and the connection goes to one that was; nothing that is not public is reached.',
  variants: Object.fromEntries(
    Object.keys(addresses(0)).map((name) => [
      name,
      (platform) =>
        withServer(async (port, hits) => {
          await platform.admin('PUT', '/apps/other/functions/fetcher', FETCHER)
          const urls = addresses(port)[name]!.filter((url) => !url.startsWith('data:'))
          const answer = await platform.request('other', '/fetcher', { method: 'POST', body: JSON.stringify({ urls }), headers: { 'content-type': 'application/json' } })
          expect(answer.json).toEqual(urls.map(() => null))
          expect(hits()).toBe(0)
        })
    ])
  )
} satisfies ClientAttack
