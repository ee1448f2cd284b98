import { once } from 'node:events'
import type { Row, Session } from '../row.ts'

/** The data of pings and pongs that reach the client, as long as there are less than `count`. */
async function control({ client }: Pick<Session, 'client'>, event: 'ping' | 'pong', count: number): Promise<string[]> {
  const all: string[] = []
  await new Promise<void>((resolve) => {
    client.ws.on(event, (data) => {
      all.push(data.toString())
      if (all.length === count) resolve()
    })
    client.send('go')
  })
  return all
}

const TOO_LONG = 'RangeError: The data size must not be greater than 125 bytes'
const INVALID = 'TypeError ERR_INVALID_ARG_TYPE'

function rowsOf(name: 'ping' | 'pong'): Row[] {
  return [
    {
      member: name,
      says: 'sends its data of every kind',
      source: `if (method === 'message') {
        socket.${name}()
        for (const data of ['text', '', 5, 0, Buffer.from('buffer'), new Uint8Array([97, 98]), new DataView(new Uint8Array([99]).buffer), new Uint8Array([100]).buffer, [101], null, undefined, false]) socket.${name}(data)
        socket.${name}('x'.repeat(125))
      }`,
      client: (session) => control(session, name, 14),
      expects: ['', 'text', '', '5', '0', 'buffer', 'ab', 'c', 'd', 'e', '', '', '', 'x'.repeat(125)]
    },
    {
      member: name,
      says: 'calls back in every place of the callback, later, without an error',
      source: `if (method === 'message') {
        socket.${name}((error) => report(1, error == null))
        socket.${name}('data', (error) => report(2, error == null))
        socket.${name}('data', false, (error) => report(3, error == null))
        socket.${name}('data', undefined, (error) => report(4, error == null))
        report('sent')
      }`,
      client: async ({ client, reports }) => {
        client.send('go')
        return reports(5)
      },
      expects: ['sent', [1, true], [2, true], [3, true], [4, true]]
    },
    {
      member: name,
      says: 'throws for too long or wrong data, and the socket goes on',
      source: `if (method === 'message') {
        for (const data of ['x'.repeat(126), 'é'.repeat(63), Buffer.alloc(126)]) report(thrown(() => socket.${name}(data)))
        for (const data of [{}, true]) report(thrownKind(() => socket.${name}(data)))
        socket.send('still open')
      }`,
      client: async ({ client, reports }) => {
        client.send('go')
        return [...(await reports(5)), await client.next()]
      },
      expects: [TOO_LONG, TOO_LONG, TOO_LONG, INVALID, INVALID, 'still open']
    },
    {
      member: name,
      says: 'after close does not throw, and tells the callback',
      source: `if (method === 'connection') socket.close()
      if (method === 'close') {
        report(thrown(() => socket.${name}()), thrown(() => socket.${name}('x'.repeat(200))), thrownKind(() => socket.${name}({})))
        socket.${name}((error) => report(error))
        socket.${name}('data', (error) => report(error))
        socket.${name}('data', true, (error) => report(error))
      }`,
      expects: [
        ['nothing', 'nothing', INVALID],
        'Error: WebSocket is not open: readyState 3 (CLOSED)',
        'Error: WebSocket is not open: readyState 3 (CLOSED)',
        'Error: WebSocket is not open: readyState 3 (CLOSED)'
      ]
    }
  ]
}

export const pingRows: Row[] = [
  ...rowsOf('ping'),
  ...rowsOf('pong'),
  {
    member: 'ping',
    says: 'is in order with what is sent',
    source: `if (method === 'message') { socket.send('a'); socket.ping('b'); socket.send('c'); socket.pong('d'); socket.send('e') }`,
    client: async ({ client }) => {
      const seen: string[] = []
      for (const event of ['message', 'ping', 'pong'] as const) client.ws.on(event, (data: Buffer) => seen.push(data.toString()))
      client.send('go')
      while (!seen.includes('e')) await once(client.ws, 'message')
      return seen
    },
    expects: ['a', 'b', 'c', 'd', 'e']
  },
  {
    member: 'event ping',
    says: 'comes with a Buffer, whatever binaryType is, and the client gets its pong',
    source: `if (method === 'connection') {
      socket.binaryType = 'arraybuffer'
      socket.on('ping', function (...args) { report('ping', args, this === socket) })
      socket.send('ready')
    }`,
    client: async ({ client, reports }) => {
      await client.next()
      const pong = once(client.ws, 'pong')
      client.ws.ping('data')
      return [await reports(1), String((await pong)[0])]
    },
    expects: [[['ping', ['Buffer data'], true]], 'data']
  },
  ...['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'].map((method): Row => ({
    member: 'event ping',
    says: `is heard by who listens with ${method}`,
    source: `if (method === 'connection') {
      socket.${method}('ping', (data) => report(data.toString()))
      socket.send('ready')
    }`,
    client: async ({ client, report }) => {
      await client.next()
      client.ws.ping('data')
      return report()
    },
    expects: 'data'
  })),
  {
    member: 'event ping',
    says: 'without a listener is answered all the same, and main is not called',
    source: `report(method)`,
    client: async ({ client, reports }) => {
      const pong = once(client.ws, 'pong')
      client.ws.ping('data')
      await pong
      client.send('after')
      return reports(2)
    },
    expects: ['connection', 'message']
  },
  {
    member: 'event ping',
    says: 'reaches a listener that is added later, and not one that was removed',
    source: `if (method === 'message') {
      const text = String(ctx.params.data)
      socket.listener ??= (data) => report('ping', data)
      if (text === 'on') socket.on('ping', socket.listener)
      if (text === 'off') socket.off('ping', socket.listener)
      report(text)
    }`,
    client: async ({ client, report }) => {
      const seen: unknown[] = []
      for (const text of ['on', 'off', 'on']) {
        client.send(text)
        seen.push(await report())
        const pong = once(client.ws, 'pong')
        client.ws.ping(`after ${text}`)
        await pong
        if (text === 'on') seen.push(await report())
      }
      return seen
    },
    expects: ['on', ['ping', 'Buffer after on'], 'off', 'on', ['ping', 'Buffer after on']]
  },
  {
    member: 'event pong',
    says: 'answers ping with its data',
    source: `if (method === 'connection') { socket.once('pong', (...args) => report('pong', args)); socket.ping('data') }`,
    expects: [['pong', ['Buffer data']]]
  },
  {
    member: 'event pong',
    says: 'comes without having been asked for',
    source: `if (method === 'connection') { socket.on('pong', (data) => report('pong', data)); socket.send('ready') }`,
    client: async ({ client, reports }) => {
      await client.next()
      client.ws.pong()
      client.ws.pong('x'.repeat(125))
      return reports(2)
    },
    expects: [['pong', 'Buffer '], ['pong', `Buffer ${'x'.repeat(125)}`]]
  },
  {
    member: 'event pong',
    says: 'is in order with messages',
    source: `if (method === 'connection') { socket.on('pong', (data) => report('pong ' + data)); socket.on('ping', (data) => report('ping ' + data)); socket.send('ready') }
    if (method === 'message') report('message ' + ctx.params.data)`,
    client: async ({ client, reports }) => {
      await client.next()
      client.send('1')
      client.ws.pong('2')
      client.send('3')
      client.ws.ping('4')
      client.send('5')
      return reports(5)
    },
    expects: ['message 1', 'pong 2', 'message 3', 'ping 4', 'message 5']
  }
]
