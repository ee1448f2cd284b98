import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../support/client.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'

/** Asks for what a message says, and sends what comes. */
const SOCKET = `
export async function main(ctx) {
  if (ctx.method !== 'WebSocket:message') return
  const { url, init, how } = JSON.parse(ctx.params.data.toString())
  try {
    const response = await fetch(url, init)
    if (how === 'stream') for await (const chunk of response.body) ctx.socket.send(Buffer.from(chunk).toString())
    ctx.socket.send(how === 'stream' ? 'end' : response.status + ' ' + (await response.text()))
  } catch (error) {
    ctx.socket.send(error.message + ': ' + error.cause?.code + ' ' + error.cause?.message)
  }
}`

/** The same by HTTP, with cloud.fetch. */
const HTTP = `
import cloud from '@lafjs/cloud'
export default async function (ctx: FunctionContext) {
  const { status, data } = await cloud.fetch({ url: ctx.query.url, method: 'POST', data: { from: cloud.appid } })
  return { status, data }
}`

let server: Server
let base: string
let requests: string[] = []
let open: ServerResponse[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      requests.push(request.url!)
      if (request.url === '/open') {
        response.flushHeaders()
        open.push(response)
      } else response.end(`${request.method} ${request.url} ${body}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const ask = (url: string, more: object = {}): string => JSON.stringify({ url, ...more })

describe('fetch, where the operator allows any address', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await startPlatform({ args: ['--allow-private-fetch', '--workers', '1'] })
    await platform.app('outside', { __websocket__: SOCKET, http: HTTP })
    await platform.admin('PATCH', '/apps/outside', { limits: { idleMs: 300 } })
  })
  afterAll(() => platform.close())

  it('asks other servers, by fetch and by cloud.fetch', async () => {
    const client = await connect(platform.url('outside'))
    client.send(ask(`${base}/one`, { init: { method: 'POST', body: 'text' } }))
    expect(await client.next()).toBe('200 POST /one text')
    client.send(ask(`http://localhost:${new URL(base).port}/two`))
    expect(await client.next()).toBe('200 GET /two ')
    await client.close()
    const { json } = await platform.request('outside', `/http?url=${encodeURIComponent(`${base}/three`)}`)
    expect(json).toEqual({ status: 200, data: 'POST /three {"from":"outside"}' })
  })

  it('passes an answer on while it comes, and an app that waits for it stays awake', async () => {
    const client = await connect(platform.url('outside'))
    open = []
    client.send(ask(`${base}/open`, { how: 'stream' }))
    const [answer] = await until('the request came', () => (open.length === 1 ? open : null))
    for (const part of ['first', 'second']) {
      // Longer than the app may be idle.
      await new Promise((resolve) => setTimeout(resolve, 500))
      answer!.write(part)
      expect(await client.next()).toBe(part)
    }
    answer!.end()
    expect(await client.next()).toBe('end')
    await until('the app sleeps', async () => (await platform.admin('GET', '/apps/outside/stats')).json.hibernated)
    await client.close()
  })

  // The answer was for an isolate that is gone: the event is delivered again, and asks again.
  it('goes on when the worker dies in the middle', async () => {
    const client = await connect(platform.url('outside'))
    open = []
    client.send(ask(`${base}/open`))
    await until('the request came', () => open.length === 1)
    const gone = new Promise((resolve) => open[0]!.once('close', resolve))
    process.kill((await platform.processes('worker'))[0]!.pid, 'SIGKILL')
    await until('the request came again', () => open.length === 2)
    await gone
    open[1]!.end('answer')
    expect(await client.next()).toBe('200 answer')
    await client.close()
  })
})

describe('fetch, as it is', () => {
  let platform: Platform
  beforeAll(async () => {
    platform = await startPlatform({ args: ['--workers', '1'] })
    await platform.app('inside', { __websocket__: SOCKET })
  })
  afterAll(() => platform.close())

  it('reaches no private address: not of this machine, not of its network, not of its provider', async () => {
    const client = await connect(platform.url('inside'))
    const { port } = new URL(base)
    const consolePort = new URL(platform.console).port
    const urls = [base, `${platform.console}/v1/apps`, `${platform.gateway}/readyz`, `http://localhost:${port}/`, `http://a.localhost:${port}/`, `http://[::1]:${port}/`, `http://0.0.0.0:${port}/`, `http://[::]:${port}/`]
      .concat(`http://2130706433:${port}/`, `http://0x7f.1:${port}/`, `http://0177.0.0.1:${port}/`, `http://[::ffff:127.0.0.1]:${consolePort}/`, `http://[64:ff9b::7f00:1]:${port}/`, `http://[2002:7f00:1::]:${port}/`)
      .concat('http://10.0.0.1/', 'http://172.16.0.1/', 'http://192.168.0.1/', 'http://100.64.0.1/', 'http://169.254.169.254/latest/meta-data/', 'http://[fd00:ec2::254]/', 'http://[fe80::1]/', 'https://127.0.0.1/')
    requests = []
    for (const url of urls) {
      client.send(ask(url))
      expect(await client.next(), url).toMatch(/^fetch failed: ERR_SOCKLET_ADDRESS .* is not a public address$/)
    }
    expect(requests).toEqual([])
    await client.close()
  })
})
