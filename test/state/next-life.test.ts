import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, type Client } from '../support/client.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '1'] })
})
afterAll(() => platform.close())

async function app(appid: string, source: string, idleMs = 300): Promise<Client> {
  await platform.app(appid, { __websocket__: source })
  expect((await platform.admin('PATCH', `/apps/${appid}`, { limits: { idleMs } })).status).toBe(200)
  return connect(platform.url(appid))
}

async function sleeps(appid: string): Promise<void> {
  await until('it is hibernated', async () => (await platform.admin('GET', `/apps/${appid}/stats`)).json.hibernated)
}

async function workers(): Promise<number[]> {
  return (await platform.processes('worker')).map(({ pid }) => pid)
}

/** The worker dies; another one has the app. */
async function dies(): Promise<void> {
  const before = await workers()
  for (const pid of before) process.kill(pid, 'SIGKILL')
  await until('there is another worker', async () => (await workers()).some((pid) => !before.includes(pid)))
}

async function asked(client: Client, what: string | Buffer): Promise<string> {
  client.send(what)
  return String(await client.next())
}

describe('a socket in the next life of its app', () => {
  // It was set once, when the client connected; after ten quiet seconds the messages were Buffers.
  it('gives binary messages as its binaryType says', async () => {
    const client = await app('typed', `export const main = ({ method, socket, params }) => {
      if (method === 'WebSocket:connection') socket.binaryType = 'arraybuffer'
      if (method === 'WebSocket:message') socket.send(socket.binaryType + ' ' + (params.data instanceof ArrayBuffer))
    }`)
    expect(await asked(client, Buffer.from('x'))).toBe('arraybuffer true')
    await sleeps('typed')
    expect(await asked(client, Buffer.from('x'))).toBe('arraybuffer true')
    await dies()
    expect(await asked(client, Buffer.from('x'))).toBe('arraybuffer true')
    client.ws.terminate()
  })

  it('is closing if it was', async () => {
    const client = await app('closing', `
      import cloud from '@lafjs/cloud'
      export const main = ({ method, socket, params }) => {
        if (method === 'WebSocket:message' && params.data.toString() === 'close') socket.close(4000)
        else if (method === 'WebSocket:message') socket.send(JSON.stringify([...cloud.sockets].map((one) => one.readyState).toSorted()))
      }`, 60_000)
    const other = await connect(platform.url('closing'))
    other.send('close')
    // A client that does not answer the close frame.
    other.ws.pause()
    await until('it is closing', async () => (await asked(client, 'states')) === '[1,2]')
    await dies()
    expect(await asked(client, 'states')).toBe('[1,2]')
    for (const { ws } of [client, other]) ws.terminate()
  })
})

// It slept between the parts, and its client got the second one alone.
describe('an app that has something to send which only its isolate has', () => {
  it.each([
    ['a part of a message', `if (text === 'a') socket.send('first ', { fin: false }); if (text === 'b') socket.send('second', { fin: true })`],
    ['a Blob that is not read yet', `
      if (text === 'a') socket.send({ size: 12, type: '', [Symbol.toStringTag]: 'Blob', arrayBuffer: () => new Promise((resolve) => { globalThis.resolve = resolve }) })
      if (text === 'b') globalThis.resolve(Buffer.from('first second'))`]
  ])('stays awake: %s', async (_, source) => {
    const appid = `unsent-${source.length}`
    const client = await app(appid, `export const main = ({ method, socket, params }) => {
      if (method !== 'WebSocket:message') return
      const text = params.data.toString()
      ${source}
    }`)
    client.send('a')
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(await asked(client, 'b')).toBe('first second')
    await sleeps(appid)
    // Nor does it wait for a client that has gone.
    client.send('a')
    await client.close()
    await sleeps(appid)
  })
})

// Its clients heard nothing until one of them said something, for nothing else loaded the module.
describe('what the module of __websocket__ does by itself', () => {
  it.each([
    ['the death of its worker', dies],
    ['a restart of the app', async (appid: string) => void (await platform.admin('POST', `/apps/${appid}/restart`))]
  ])('goes on after %s, without a word of the clients', async (_, ends) => {
    const appid = `ticks-${ends.length}`
    const client = await app(appid, `
      import cloud from '@lafjs/cloud'
      const life = Math.random()
      setInterval(() => cloud.sockets.send('tick ' + life), 50)
      export const main = () => {}`)
    const before = await client.nextMatching(/^tick/)
    await ends(appid)
    await until('another life ticks', async () => (await client.nextMatching(/^tick/)) !== before)
    await client.close()
  })

  it('is in the log if it fails, and the app goes on', async () => {
    const client = await app('fails', `
      export const main = ({ method, socket }) => { if (method === 'WebSocket:message') socket.send('here') }`)
    expect(await asked(client, 'x')).toBe('here')
    await platform.admin('PUT', '/apps/fails/functions/__websocket__', `import cloud from '@lafjs/cloud'
      if (cloud.sockets.size > 0 && cloud.shared.get('loads') !== 2) { cloud.shared.set('loads', (cloud.shared.get('loads') ?? 0) + 1); throw new Error('while it loads') }
      export const main = ({ method, socket }) => { if (method === 'WebSocket:message') socket.send('here again') }`)
    await platform.admin('POST', '/apps/fails/restart')
    const logs = async (): Promise<{ function: string; message: string }[]> => (await platform.admin('GET', '/apps/fails/logs')).json.items
    const line = await until('it is logged', async () => (await logs()).find(({ message }) => message.includes('while it loads')))
    expect(line.function).toBe('__websocket__')
    client.send('dropped')
    expect(await asked(client, 'x')).toBe('here again')
    await client.close()
  })
})
