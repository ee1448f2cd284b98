import type { Row, Session } from '../row.ts'
import { INVALID_UTF8, writeRaw } from './close.ts'

const IMPORT = `import { createWebSocketStream } from 'ws'`

/** What comes back, until it is as long as `length`. */
async function echoed({ client }: Session, length: number): Promise<string> {
  let text = ''
  while (text.length < length) text += String(await client.next())
  return text
}

export const streamRows: Row[] = [
  {
    member: 'createWebSocketStream',
    says: 'is a Duplex that echoes through pipe, as binary messages',
    top: `import { Duplex } from 'stream'\n${IMPORT}`,
    source: `if (method === 'connection') { const stream = createWebSocketStream(socket); report(stream instanceof Duplex); stream.pipe(stream) }`,
    client: async (session) => {
      const { client, report } = session
      const isDuplex = await report()
      client.send('text')
      const first = await client.next()
      client.send(Buffer.from('bytes'))
      return [isDuplex, Buffer.isBuffer(first), String(first), String(await client.next())]
    },
    expects: [true, true, 'text', 'bytes']
  },
  {
    member: 'createWebSocketStream',
    says: 'carries a lot both ways, in order',
    top: IMPORT,
    source: `if (method === 'connection') { const stream = createWebSocketStream(socket); stream.pipe(stream) }`,
    client: async (session) => {
      const parts = Array.from({ length: 200 }, (_, index) => `${index}:`.padEnd(5000, '.'))
      for (const part of parts) session.client.send(part)
      const sent = parts.join('')
      return (await echoed(session, sent.length)) === sent
    },
    expects: true
  },
  {
    member: 'createWebSocketStream',
    says: 'gives data events with Buffers, and end when the client leaves; then it can be ended, and closes',
    top: IMPORT,
    source: `if (method === 'connection') {
      const stream = createWebSocketStream(socket)
      for (const event of ['data', 'end', 'close', 'error', 'finish']) stream.on(event, (...args) => report(event, args))
      stream.on('end', () => stream.end())
    }`,
    client: async ({ client, reports }) => {
      client.send('a')
      client.send(Buffer.from('b'))
      const seen = await reports(2)
      void client.close()
      return [...seen, ...(await reports(3))]
    },
    expects: [
      ['data', ['Buffer a']],
      ['data', ['Buffer b']],
      ['end', []],
      ['finish', []],
      ['close', []]
    ]
  },
  {
    member: 'createWebSocketStream',
    says: 'end closes without a code, after what was written; finish, end and close follow',
    top: IMPORT,
    source: `if (method === 'message') {
      const stream = createWebSocketStream(socket)
      for (const event of ['end', 'close', 'error', 'finish']) stream.on(event, () => report(event))
      stream.resume()
      stream.write('a')
      stream.end('last')
    }`,
    client: async ({ client, reports }) => {
      client.send('go')
      const seen = [String(await client.next()), String(await client.next()), await client.closed]
      const events = await reports(3)
      return [...seen, events.toSorted(), events.at(-1)]
    },
    expects: ['a', 'last', { code: 1005, reason: '' }, ['close', 'end', 'finish'], 'close']
  },
  {
    member: 'createWebSocketStream',
    says: 'destroy terminates the connection, and emits the error',
    top: IMPORT,
    source: `if (method === 'message') {
      const stream = createWebSocketStream(socket)
      for (const event of ['end', 'close', 'error', 'finish']) stream.on(event, (...args) => report(event, args, socket.readyState))
      stream.destroy(String(ctx.params.data) === 'error' ? new Error('mine') : undefined)
      report('destroyed', stream.destroyed)
    }`,
    client: async ({ client, connect, reports }) => {
      const other = await connect()
      client.send('error')
      const seen = await reports(3)
      other.send('none')
      return [...seen, ...(await reports(2)), await client.closed, await other.closed]
    },
    expects: [
      ['destroyed', true],
      ['error', ['Error: mine'], 3],
      ['close', [], 3],
      ['destroyed', true],
      ['close', [], 3],
      { code: 1006, reason: '' },
      { code: 1006, reason: '' }
    ]
  },
  {
    member: 'createWebSocketStream',
    says: 'emits the error of a broken frame, and lets the close frame out',
    top: IMPORT,
    source: `if (method === 'connection') {
      const stream = createWebSocketStream(socket)
      stream.on('error', (error) => report('error', error.code, stream.destroyed))
      stream.on('close', () => report('close', socket.readyState))
      stream.resume()
    }`,
    client: async (session) => {
      writeRaw(session, INVALID_UTF8)
      return [await session.client.closed, ...(await session.reports(2))]
    },
    expects: [
      { code: 1007, reason: '' },
      ['error', 'WS_ERR_INVALID_UTF8', true],
      ['close', 3]
    ]
  },
  {
    member: 'createWebSocketStream',
    says: 'with encoding gives strings, and characters in two messages are put together',
    top: IMPORT,
    source: `if (method === 'connection') {
      const stream = createWebSocketStream(socket, { encoding: 'utf8' })
      stream.on('data', (data) => report(data))
      socket.send('ready')
    }`,
    client: async ({ client, reports }) => {
      const [first, second] = [Buffer.from('aé').subarray(0, 2), Buffer.from('é').subarray(1)]
      client.send(first)
      client.send(Buffer.concat([second, Buffer.from('b')]))
      return reports(2)
    },
    expects: ['a', 'éb']
  },
  {
    member: 'createWebSocketStream',
    says: 'with decodeStrings off writes texts as text messages',
    top: IMPORT,
    source: `if (method === 'connection') {
      const stream = createWebSocketStream(socket, { decodeStrings: false, encoding: 'utf8' })
      stream.on('data', (data) => stream.write('echo ' + data))
    }`,
    client: async ({ client }) => {
      client.send('text')
      return client.next()
    },
    expects: 'echo text'
  },
  {
    member: 'createWebSocketStream',
    says: 'with readableObjectMode gives each text as a string; writable object modes are ignored',
    top: IMPORT,
    source: `if (method === 'connection') {
      const stream = createWebSocketStream(socket, { readableObjectMode: true, writableObjectMode: true, objectMode: true })
      report(stream.readableObjectMode, stream.writableObjectMode)
      stream.on('data', (data) => report(data))
    }`,
    client: async ({ client, reports }) => {
      client.send('text')
      client.send('')
      client.send(Buffer.from('bytes'))
      return reports(4)
    },
    expects: [[true, false], 'text', '', 'Buffer bytes']
  },
  {
    member: 'createWebSocketStream',
    says: 'pauses the socket while nobody reads, and resumes it',
    top: IMPORT,
    source: `if (method === 'connection') {
      socket.stream = createWebSocketStream(socket, { highWaterMark: 1 })
      report(socket.isPaused)
    }
    if (method === 'message') setTimeout(() => report('paused', socket.isPaused), 0)
    onCommand = () => { socket.stream.on('data', (data) => report(data)); setTimeout(() => report('resumed', socket.isPaused), 50) }`,
    client: async ({ client, command, reports }) => {
      const seen = await reports(1)
      client.send('abc')
      seen.push(...(await reports(1)))
      command('read')
      seen.push(...(await reports(2)))
      return seen
    },
    expects: [false, ['paused', true], 'Buffer abc', ['resumed', false]]
  },
  {
    member: 'createWebSocketStream',
    says: 'can be read with for await, and the socket\'s own listeners hear as well',
    top: IMPORT,
    source: `if (method !== 'connection') return
    socket.on('message', (data) => report('listener', data))
    return (async () => {
      const stream = createWebSocketStream(socket)
      for await (const data of stream) report('read', data)
      report('over')
    })()`,
    client: async ({ client, reports }) => {
      client.send('a')
      const seen = await reports(2)
      void client.close()
      return [...seen.toSorted(), ...(await reports(1))]
    },
    expects: [
      ['listener', 'Buffer a'],
      ['read', 'Buffer a'],
      'over'
    ]
  },
  {
    member: 'createWebSocketStream',
    says: 'goes through pipeline with a Transform',
    top: `import { Transform, pipeline } from 'stream'\n${IMPORT}`,
    source: `if (method === 'connection') {
      const upper = new Transform({ transform(chunk, encoding, callback) { callback(null, String(chunk).toUpperCase()) } })
      const stream = createWebSocketStream(socket)
      pipeline(stream, upper, stream, (error) => report('over', error?.code))
    }`,
    client: async (session) => {
      session.client.send('shout')
      const echo = await echoed(session, 5)
      void session.client.close()
      return [echo, Array.isArray(await session.report())]
    },
    expects: ['SHOUT', true]
  },
  {
    member: 'createWebSocketStream',
    says: 'write tells when to wait, and calls back once the message is written',
    top: IMPORT,
    source: `if (method === 'connection') {
      const stream = createWebSocketStream(socket, { highWaterMark: 3 })
      report(stream.write('abc', (error) => report('written', error == null)))
      stream.once('drain', () => report('drain'))
    }`,
    expects: [false, 'drain', ['written', true]]
  },
  {
    member: 'createWebSocketStream',
    says: 'writing after the client has gone is an error of the stream, and of nothing else',
    top: IMPORT,
    source: `if (method === 'connection') {
      socket.stream = createWebSocketStream(socket)
      socket.stream.on('error', (error) => report('error', error))
      socket.stream.resume()
    }
    if (method === 'close') setTimeout(() => { socket.stream.write('x', (error) => report('callback', error)) }, 0)`,
    client: async ({ client, reports }) => {
      void client.close()
      return reports(2)
    },
    expects: [
      ['callback', 'Error: WebSocket is not open: readyState 3 (CLOSED)'],
      ['error', 'Error: WebSocket is not open: readyState 3 (CLOSED)']
    ]
  }
]
