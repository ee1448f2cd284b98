import type { Client } from '../../support/client.ts'
import { until } from '../../support/until.ts'
import type { Row, Session } from '../row.ts'

/** What the client gets, until a text `end`. Texts as they are, binary as `<hex>`. */
async function received({ client }: Pick<Session, 'client'>): Promise<string[]> {
  const all: string[] = []
  for (;;) {
    const message = await client.next()
    if (message === 'end') return all
    all.push(typeof message === 'string' ? message : `<${message.toString('hex')}>`)
  }
}

async function receivedAndReports(session: Session, count: number): Promise<unknown> {
  return { received: await received(session), reports: await session.reports(count) }
}

/** A client that leaves what is sent to it in the network. */
function stopReading({ ws }: Client): void {
  ws.pause()
}

const BYTES = 'const bytes = new Uint8Array([9, 9, 9, 9, 9, 9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]).buffer'
const INVALID = 'TypeError ERR_INVALID_ARG_TYPE'

export const sendRows: Row[] = [
  {
    member: 'send',
    says: 'texts and numbers are text messages',
    source: `if (method === 'connection') { for (const data of ['text', '', 'ünïcödé 😀', 5, 0, -1.5, NaN, 1e21, 'end']) socket.send(data) }`,
    client: received,
    expects: ['text', '', 'ünïcödé 😀', '5', '0', '-1.5', 'NaN', '1e+21']
  },
  {
    member: 'send',
    says: 'a lone surrogate is sent as U+FFFD',
    source: `if (method === 'connection') { socket.send('a\\ud800b'); socket.send('end') }`,
    client: received,
    expects: ['a\ufffdb']
  },
  {
    member: 'send',
    says: 'takes what Buffer.from takes: a Date, and objects with valueOf or Symbol.toPrimitive',
    source: `if (method === 'connection') {
      for (const data of [new Date(0), new String('boxed'), { valueOf: () => 'value' }, { [Symbol.toPrimitive]: (hint) => hint }, { length: 2, 0: 65, 1: 66 }, { type: 'Buffer', data: [67] }]) report(thrownKind(() => socket.send(data)))
      socket.send('end')
    }`,
    client: async (session) => (await receivedAndReports(session, 6) as { received: string[] }).received.map((text) => Buffer.from(text.slice(1, -1), 'hex').toString().slice(0, 9)),
    expects: ['Thu Jan 0', 'boxed', 'value', 'string', 'AB', 'C']
  },
  {
    member: 'send callback',
    says: 'gets null where all went well, as that of a write to a socket of Node does; so does that of ping and of a part',
    source: `if (method === 'connection') {
      socket.send('x', (...args) => { report('text', args); socket.send(new Blob(['b']), (...more) => { report('blob', more); socket.ping((...pinged) => report('ping', pinged)) }) })
    }`,
    client: ({ reports }) => reports(3),
    expects: [['text', [null]], ['blob', [null]], ['ping', [null]]]
  },
  {
    member: 'send',
    says: 'null, undefined, false and other falsy values that are no text are empty binary messages',
    source: `if (method === 'connection') { for (const data of [null, undefined, false, 0n]) socket.send(data); socket.send(); socket.send('end') }`,
    client: received,
    expects: ['<>', '<>', '<>', '<>', '<>']
  },
  {
    member: 'send',
    says: 'Buffers, views with their offset, ArrayBuffers and arrays are binary messages',
    top: BYTES,
    source: `if (method === 'connection') {
      socket.send(Buffer.from(bytes, 8, 2))
      for (const View of [Int8Array, Uint8Array, Uint8ClampedArray]) socket.send(new View(bytes, 8, 3))
      for (const View of [Int16Array, Uint16Array]) socket.send(new View(bytes, 8, 2))
      for (const View of [Int32Array, Uint32Array, Float32Array]) socket.send(new View(bytes, 8, 2))
      for (const View of [BigInt64Array, BigUint64Array, Float64Array]) socket.send(new View(bytes, 8, 1))
      socket.send(new DataView(bytes, 9, 3))
      socket.send(bytes.slice(8, 10))
      socket.send(new ArrayBuffer(0))
      socket.send([1, 2, 255, 256, -1, '7'])
      socket.send([])
      socket.send({ length: 2, 0: 1, 1: 2 })
      socket.send('end')
    }`,
    client: received,
    expects: [
      '<0102>',
      ...Array.from({ length: 3 }, () => '<010203>'),
      ...Array.from({ length: 2 }, () => '<01020304>'),
      ...Array.from({ length: 6 }, () => '<0102030405060708>'),
      '<020304>',
      '<0102>',
      '<>',
      '<0102ff00ff07>',
      '<>',
      '<0102>'
    ]
  },
  {
    member: 'send',
    says: 'objects that stand for a text or bytes are binary messages',
    source: `if (method === 'connection') {
      socket.send(new String('abc'))
      socket.send({ valueOf: () => 'de' })
      socket.send({ [Symbol.toPrimitive]: () => 'f' })
      socket.send(Buffer.from('gh').toJSON())
      socket.send('end')
    }`,
    client: received,
    expects: ['<616263>', '<6465>', '<66>', '<6768>']
  },
  {
    member: 'send',
    says: 'a Blob is a binary message, in its place in the order',
    source: `if (method === 'connection') { socket.send('before'); socket.send(new Blob(['a', new Uint8Array([255])])); socket.send('after'); socket.send('end') }`,
    client: received,
    expects: ['before', '<61ff>', 'after']
  },
  {
    member: 'send',
    says: 'throws a TypeError with its code for what it cannot send, and the socket goes on',
    source: `if (method === 'connection') {
      for (const data of [{}, { a: 1 }, true, 10n, Symbol('s'), () => {}, new Map()]) report(thrownKind(() => socket.send(data)))
      report(socket.readyState)
      socket.send('end')
    }`,
    client: (session) => receivedAndReports(session, 8),
    expects: {
      received: [],
      reports: [
        ...Array.from({ length: 7 }, () => INVALID),
        1
      ]
    }
  },
  {
    member: 'send',
    says: 'takes what a buffer holds when it is called',
    source: `if (method === 'connection') {
      const bytes = Buffer.from('first')
      socket.send(Buffer.from(bytes))
      bytes.write('other')
      socket.send(bytes)
      socket.send('end')
    }`,
    client: received,
    expects: ['<6669727374>', '<6f74686572>']
  },
  {
    member: 'send options.binary',
    says: 'chooses the kind of message',
    source: `if (method === 'connection') {
      socket.send('text', { binary: true })
      socket.send(Buffer.from('bytes'), { binary: false })
      socket.send(Buffer.from('bytes'), { binary: true })
      socket.send(5, { binary: true })
      socket.send(Buffer.from('bytes'), { binary: undefined })
      socket.send(Buffer.from('bytes'), Object.create({ binary: false }))
      socket.send('text', {})
      socket.send('text', null)
      socket.send('text', undefined)
      socket.send('empty', { binary: 0 })
      socket.send('end')
    }`,
    client: received,
    expects: ['<74657874>', 'bytes', '<6279746573>', '<35>', 'bytes', '<6279746573>', 'text', 'text', 'text', 'empty']
  },
  {
    member: 'send options.compress',
    says: 'is taken, and means nothing where compression is off',
    source: `if (method === 'connection') { socket.send('a'.repeat(3000), { compress: true }); socket.send('b', { compress: false }); socket.send('end') }`,
    client: received,
    expects: ['a'.repeat(3000), 'b']
  },
  {
    member: 'send options.mask',
    says: 'is taken, and never masks: a client may not be sent a masked frame (RFC 6455, 5.1)',
    source: `if (method === 'connection') { socket.send('a', { mask: true }); socket.ping('b', true); socket.pong('c', true); socket.send('end') }`,
    client: received,
    expects: ['a'],
    onlyOurs: true
  },
  {
    member: 'send options.fin',
    says: 'sends one message in parts; the first part tells its kind',
    source: `if (method === 'connection') {
      socket.send('a', { fin: false })
      socket.send('b', { fin: false })
      socket.ping()
      socket.send('c')
      socket.send(Buffer.from('d'), { fin: false })
      socket.send('e', { fin: true })
      socket.send('f', { fin: true })
      socket.send('end')
    }`,
    client: received,
    expects: ['abc', '<6465>', 'f']
  },
  {
    member: 'send options.fin',
    says: 'goes on over several events, and calls back for each part',
    source: `if (method === 'message') { const text = String(ctx.params.data); socket.send(text, { fin: text === '3' }, (error) => report(text, error == null)) }`,
    client: async ({ client, report }) => {
      for (const part of ['1', '2', '3']) {
        client.send(part)
        await report()
      }
      return client.next()
    },
    expects: '123'
  },
  {
    member: 'send callback',
    says: 'is called once, without an error, in order, after send has returned',
    source: `if (method === 'connection') {
      socket.send('a', (...args) => report('a', args.length <= 1 && args[0] == null))
      socket.send('b', { binary: true }, (...args) => report('b', args.length <= 1 && args[0] == null))
      socket.send('c', undefined, (...args) => report('c', args.length <= 1 && args[0] == null))
      socket.send('d'.repeat(100000), (...args) => report('d', args.length <= 1 && args[0] == null))
      socket.send('end')
      report('sent')
    }`,
    client: (session) => receivedAndReports(session, 5),
    expects: { received: ['a', '<62>', 'c', 'd'.repeat(100000)], reports: ['sent', ['a', true], ['b', true], ['c', true], ['d', true]] }
  },
  {
    member: 'send callback',
    says: 'is not called before a slow client has made room',
    source: `if (method === 'message') {
      let called = 0
      for (let i = 0; i < 12; i++) socket.send(Buffer.alloc(1024 * 1024), () => { called++; if (called === 12) report('all') })
      onCommand = () => report(called < 12)
      report('sent')
    }`,
    client: async ({ client, report, command }) => {
      stopReading(client)
      client.send('go')
      const seen = [await report()]
      command('how many')
      seen.push(await report())
      client.ws.resume()
      seen.push(await report())
      return seen
    },
    expects: ['sent', true, 'all']
  },
  {
    member: 'send callback',
    says: 'gets an error when the client is gone before it could be written',
    source: `if (method === 'message') {
      let errors = 0, called = 0
      for (let i = 0; i < 12; i++) socket.send(Buffer.alloc(1024 * 1024), (error) => { called++; if (error instanceof Error) errors++; if (called === 12) report('all called', errors > 0) })
      report('sent')
    }`,
    client: async ({ client, reports }) => {
      stopReading(client)
      client.send('go')
      const sent = await reports(1)
      client.ws.terminate()
      return [...sent, ...(await reports(1))]
    },
    expects: ['sent', ['all called', true]]
  },
  {
    member: 'send callback',
    says: 'is called for what was sent before close without an error, and for what was sent after it with one',
    source: `if (method === 'message') {
      for (const text of ['a', 'b']) socket.send(text, (error) => report(text, error == null))
      socket.close()
      socket.send('c', (error) => report('c', error == null))
    }`,
    client: async ({ client, reports }) => {
      client.send('go')
      return (await reports(3)).toSorted()
    },
    expects: [
      ['a', true],
      ['b', true],
      ['c', false]
    ]
  },
  {
    member: 'send after close',
    says: 'does not throw, and tells the callback, later',
    source: `if (method === 'connection') {
      socket.close()
      report(thrown(() => socket.send('a')))
      report(thrown(() => socket.send('b', (error) => report(error))))
      report(thrown(() => socket.send('c', {}, (error) => report(error))))
      report('sent')
    }
    if (method === 'close') socket.send('d', (error) => report(error))`,
    expects: [
      'nothing',
      'nothing',
      'nothing',
      'sent',
      'Error: WebSocket is not open: readyState 2 (CLOSING)',
      'Error: WebSocket is not open: readyState 2 (CLOSING)',
      'Error: WebSocket is not open: readyState 3 (CLOSED)'
    ]
  },
  {
    member: 'send after close',
    says: 'throws a TypeError for what could not be sent before, and not for what could',
    source: `if (method === 'connection') socket.close()
    if (method === 'close') for (const data of [{}, true, false, null, undefined, 5, '', 'a', Buffer.from('a'), [1]]) report(thrownKind(() => socket.send(data)))`,
    expects: [INVALID, INVALID, ...Array.from({ length: 8 }, () => 'nothing')]
  },
  {
    member: 'bufferedAmount',
    says: 'is 0 when there is nothing to write',
    source: `if (method === 'message') {
      report(typeof socket.bufferedAmount, socket.bufferedAmount)
      socket.send('end', () => report(socket.bufferedAmount))
    }`,
    client: async (session) => {
      session.client.send('go')
      return receivedAndReports(session, 2)
    },
    expects: { received: [], reports: [['number', 0], 0] }
  },
  {
    member: 'bufferedAmount',
    says: 'grows while a client does not read, and is 0 again when it has',
    source: `if (method === 'message') {
      for (let i = 0; i < 12; i++) socket.send(Buffer.alloc(1024 * 1024))
      report(socket.bufferedAmount > 1024 * 1024)
      onCommand = () => report(socket.bufferedAmount)
    }`,
    client: async ({ client, command, report }) => {
      stopReading(client)
      client.send('go')
      const seen = [await report()]
      for (let i = 0; i < 3; i++) command('how much')
      for (let i = 0; i < 3; i++) seen.push(Number(await report()) > 1024 * 1024)
      client.ws.resume()
      for (let got = 0; got < 12; got++) await client.next()
      await until('all has left', async () => {
        command('how much')
        return (await report()) === 0
      })
      return seen
    },
    expects: [true, true, true, true]
  },
  {
    member: 'bufferedAmount',
    says: 'grows by what is sent after close',
    source: `if (method === 'connection') socket.close()
    if (method === 'close') { const before = socket.bufferedAmount; socket.send('abcé'); socket.send(Buffer.alloc(10)); report(socket.bufferedAmount - before) }`,
    expects: [15]
  },
  {
    member: 'bufferedAmount',
    says: 'cannot be assigned',
    source: `if (method === 'connection') report(thrownKind(() => { 'use strict'; socket.bufferedAmount = 5 }))`,
    expects: ['TypeError']
  }
]
