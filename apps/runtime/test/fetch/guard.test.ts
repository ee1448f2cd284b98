import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isPublicAddress } from '../../src/pool/fetch/addresses.ts'
import { makePool, makeServer, type TestServer } from './pool.ts'

let server: TestServer
beforeAll(async () => {
  server = await makeServer({
    '/to': ({ url }, response) => void response.writeHead(302, { location: decodeURIComponent(url!.split('?')[1]!) }).end()
  })
})
afterAll(() => server.close())

/** In place of the internet: what these names resolve to. */
const NAMES: Record<string, string[]> = {
  'private.test': ['10.0.0.1'],
  'loopback.test': ['127.0.0.1'],
  'loopback6.test': ['::1'],
  'metadata.test': ['169.254.169.254'],
  'mapped.test': ['::ffff:127.0.0.1'],
  'both.test': ['1.1.1.1', '127.0.0.1'],
  'both6.test': ['2606:4700:4700::1111', 'fd00::1'],
  'nothing.test': []
}
const resolve = (name: string): Promise<string[]> => Promise.resolve(NAMES[name] ?? [])

describe('where functions may not go', () => {
  const pool = makePool({ resolve, isAllowed: isPublicAddress })
  afterAll(() => pool.fetches.close())

  const HOSTS = ['127.0.0.1', '[::1]', '0.0.0.0', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '[fc00::1]', '[fe80::1]', '[::ffff:127.0.0.1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]']
    .concat(['2130706433', '0x7f000001', '0177.0.0.1', '127.1', '0', '0x7f.1', '127.0.0.1.', '１２７.0.0.1', '127。0。0。1'])
    .concat(Object.keys(NAMES))

  it.each(HOSTS)('%s', async (host) => {
    const before = server.requests.length
    for (const scheme of ['http', 'https']) {
      const { head, failure } = await pool.fetch({ url: `${scheme}://${host}:${server.port}/` })
      expect(head).toBe(null)
      expect(failure).toMatchObject({ code: 'ERR_SOCKLET_ADDRESS', message: expect.stringContaining('is not a public address') })
    }
    expect(server.requests.length).toBe(before)
  })

  it('localhost, by the resolver that the platform uses', async () => {
    const { makeResolve } = await import('../../src/pool/fetch/resolve.ts')
    const real = makePool({ resolve: makeResolve(), isAllowed: isPublicAddress })
    for (const host of ['localhost', 'LOCALHOST', 'localhost.', 'a.b.localhost']) {
      expect((await real.fetch({ url: `http://${host}:${server.port}/` })).failure?.code).toBe('ERR_SOCKLET_ADDRESS')
    }
    await real.fetches.close()
  })
})

describe('with 127.0.0.1 as the only public address', () => {
  it('redirects to other ones are refused', async () => {
    const pool = makePool({ resolve: (name) => Promise.resolve(name === 'good.test' ? ['127.0.0.1'] : ['127.0.0.2']) })
    expect((await pool.fetch({ url: `http://good.test:${server.port}/` })).head?.status).toBe(200)
    for (const target of ['127.0.0.2', '[::1]', 'other.test', '0x7f000002', '[::ffff:127.0.0.1]']) {
      const url = `http://good.test:${server.port}/to?${encodeURIComponent(`http://${target}:${server.port}/secret`)}`
      expect((await pool.fetch({ url })).failure?.code).toBe('ERR_SOCKLET_ADDRESS')
    }
    expect(server.requests.some(({ url }) => url === '/secret')).toBe(false)
    await pool.fetches.close()
  })

  // Rebinding: a name server that gives a public address to whoever checks and a private one to whoever connects after that.
  it('a name is asked once for a connection, and the connection goes to what was said then', async () => {
    const answers = [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.2']]
    let asked = 0
    const pool = makePool({ resolve: () => Promise.resolve(answers[asked++]!) })
    const { head, body } = await pool.fetch({ url: `http://rebinding.test:${server.port}/` })
    expect([head?.status, asked, JSON.parse(String(body)).headers.host]).toEqual([200, 1, `rebinding.test:${server.port}`])
    // The connection that is open goes on being used: it leads where it led.
    expect((await pool.fetch({ url: `http://rebinding.test:${server.port}/` })).head?.status).toBe(200)
    expect(asked).toBe(1)
    // Another app has no connection yet, and is told the other address.
    expect((await pool.fetch({ url: `http://rebinding.test:${server.port}/` }, { app: 8 })).failure?.code).toBe('ERR_SOCKLET_ADDRESS')
    await pool.fetches.close()
  })

  it('the next address is tried where one does not answer', async () => {
    // Nobody listens on the port of 127.0.0.3.
    const pool = makePool({ resolve: () => Promise.resolve(['127.0.0.3', '127.0.0.1']), isAllowed: () => true })
    expect((await pool.fetch({ url: `http://two.test:${server.port}/` })).head?.status).toBe(200)
    await pool.fetches.close()
  })
})
