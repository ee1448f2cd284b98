import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect, type Client } from '../support/client.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { appWith, logOf } from './support/load.ts'

/**
 * Each limit that an app reaches is a line in its log that names the limit, and a count in its stats and in the metrics. A limit that is reached
 * ten thousand times is not ten thousand lines.
 */
let platform: Platform
/** Takes requests and never answers. */
let silent: Server
beforeAll(async () => {
  platform = await startPlatform({ args: ['--allow-private-fetch'] })
  silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  silent.closeAllConnections()
  silent.close()
  await platform.close()
})

interface Row {
  limits: Record<string, number>
  /** The value that its line names. Default: that of the limit. */
  value?: number
  /** Body of the handler of messages, with `socket`, `cloud` and the text. */
  code?: string
  /** What reaches it. Default: one message. */
  reach?: (client: Client, appid: string) => Promise<void>
  /** How often it is reached at least. Default 1. */
  times?: number
  /** What the log has in place of a line about the limit. */
  line?: RegExp
}

const send = (count: number, text: string) => async (client: Client): Promise<void> => {
  for (let n = 0; n < count; n++) client.send(text)
}
/** So often in one turn, and the function goes on. */
const often = (code: string): string => `for (let n = 0; n < 10000; n++) try { ${code} } catch (error) { if (!(error instanceof RangeError)) throw error }`
const MEGABYTE = `'x'.repeat(1000000)`

/** The client reads nothing more, and asks for much. */
async function readNothing(client: Client): Promise<void> {
  const { ws } = client as unknown as { ws: Record<string, Socket> }
  ws['_socket']!.pause()
  client.send('much')
}

const rows: Record<string, Row> = {
  connections: {
    limits: { connections: 1 },
    times: 3,
    reach: async (_, appid) => {
      for (let n = 0; n < 3; n++) await expect(connect(platform.url(appid))).rejects.toThrow('429')
    }
  },
  messageBytes: { limits: { messageBytes: 100 }, reach: send(1, 'x'.repeat(200)) },
  messagesPerSecond: { limits: { messagesPerSecond: 5 }, reach: send(30, 'x') },
  sendBufferBytes: { limits: { sendBufferBytes: 65_536 }, code: `for (let n = 0; n < 40; n++) socket.send(n + ${MEGABYTE})`, reach: readNothing },
  sendBufferTotalBytes: { limits: { sendBufferTotalBytes: 65_536 }, code: `for (let n = 0; n < 14; n++) socket.send(n + ${MEGABYTE})`, reach: readNothing },
  queueEvents: { limits: { queueEvents: 5 }, code: 'await new Promise(() => {})', reach: send(20, 'x') },
  queueBytes: { limits: { queueBytes: 1_024 }, code: 'await new Promise(() => {})', reach: send(20, 'x'.repeat(200)) },
  turnCpuMs: { limits: { turnCpuMs: 100 }, code: 'if (!ctx.redelivered) for (;;) {}' },
  minuteCpuMs: { limits: { minuteCpuMs: 100 }, code: 'for (const end = Date.now() + 300; Date.now() < end; );', reach: send(2, 'x') },
  handlerMs: { limits: { handlerMs: 100 }, code: 'await new Promise(() => {})', times: 100, reach: send(100, 'x') },
  heapMiB: { limits: { heapMiB: 16, turnCpuMs: 20_000 }, code: 'if (ctx.redelivered) return; const all = []; for (let n = 0; ; n++) all.push({ n, text: "text " + n })' },
  timers: { limits: { timers: 1 }, code: often('setTimeout(() => {}, 60000)'), times: 9_999 },
  sharedBytes: { limits: { sharedBytes: 1_024 }, code: often(`cloud.shared.set('key', 'x'.repeat(2000))`), times: 10_000 },
  sharedKeys: { limits: { sharedKeys: 1 }, code: often('cloud.shared.set(n, n)'), times: 9_999 },
  socketData: { limits: {}, value: 16_384, code: often(`socket.data = 'x'.repeat(20000)`), times: 10_000 },
  turnBytes: { limits: { heapMiB: 256, turnCpuMs: 20_000 }, value: 64, code: `const data = new Uint8Array(1024 * 1024); ${often('data[0]++; socket.send(data)')}`, times: 9_900 },
  logLinesPerSecond: {
    limits: { logLinesPerSecond: 1 },
    code: `for (let n = 0; n < 10000; n++) console.log(n)`,
    times: 9_999,
    // The line is written in a later second, with what is logged then.
    reach: async (client, appid) => {
      await until('the line that says how many', async () => {
        client.send('x')
        return (await logOf(platform, appid)).some(({ message }) => message.includes('limit logLinesPerSecond'))
      })
    }
  },
  logLineBytes: { limits: { logLineBytes: 100 }, code: `console.log('x'.repeat(1000))`, line: /^x+… \(cut\)$/ },
  fetches: { limits: { fetches: 0 }, code: `for (let n = 0; n < 100; n++) await fetch('http://127.0.0.1').catch(() => {})`, times: 100 },
  fetchMs: { limits: { fetchMs: 100 }, code: `const port = String(ctx.params.data); await Promise.all(Array.from({ length: 10 }, () => fetch('http://127.0.0.1:' + port).catch(() => {})))`, times: 10, reach: async (client) => client.send(String((silent.address() as AddressInfo).port)) }
}

const source = ({ code = '' }: Row): string => `
  import cloud from '@lafjs/cloud'
  export async function main(ctx) {
    const { socket } = ctx
    if (ctx.method === 'WebSocket:message') { ${code} }
  }`

it.concurrent.each(Object.entries(rows))('%s', async (key, row) => {
  const { limits, value = limits[key]!, reach = send(1, 'x'), times = 1, line } = row
  const appid = `app-${key.toLowerCase()}`
  await appWith(platform, appid, limits, { __websocket__: source(row) })
  const client = await connect(platform.url(appid))
  const start = performance.now()
  await reach(client, appid)
  const counted = await until(`${key} is counted`, async () => {
    const { json } = await platform.admin('GET', `/apps/${appid}/stats`)
    return (json.limits[key] ?? 0) >= times ? json.limits[key] as number : null
  })
  const isMeant = (message: string): boolean => line?.test(message) ?? (message.includes(`limit ${key}`) && message.includes(String(value)))
  const lines = await until(`a line about ${key}`, async () => {
    const found = (await logOf(platform, appid)).filter(({ message }) => isMeant(message))
    return found.length > 0 ? found : null
  })
  expect(lines.length).toBeLessThanOrEqual(2 + (performance.now() - start) / 500)
  const metrics = await fetch(`${platform.console}/metrics`, { headers: { authorization: `Bearer ${platform.token}` } })
  const metric = new RegExp(`^socklet_app_limits_reached_total\\{appid="${appid}",limit="${key}"\\} (\\d+)$`, 'm').exec(await metrics.text())
  expect(Number(metric?.[1])).toBeGreaterThanOrEqual(counted)
  client.ws.terminate()
})
