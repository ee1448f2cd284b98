import type { WebSocket } from 'ws'
import type { Row, Session } from '../row.ts'

const INVALID_CODE = 'TypeError: First argument must be a valid error code number'

/** The close that the client sees, and what the function reported. */
async function closedAnd(session: Session, count: number): Promise<unknown> {
  const closed = await session.client.closed
  return { closed, reports: await session.reports(count) }
}

/** Bytes past the client's own framing. */
export function writeRaw({ client }: Pick<Session, 'client'>, bytes: number[]): void {
  const { _socket: socket } = client.ws as WebSocket & { _socket: { write(bytes: Buffer): void } }
  socket.write(Buffer.from(bytes))
}

/** A text frame of one byte that is no UTF-8, masked with zeros. */
export const INVALID_UTF8 = [0x81, 0x81, 0, 0, 0, 0, 0xff]
/** A frame with a reserved opcode. */
const RESERVED_OPCODE = [0x83, 0x80, 0, 0, 0, 0]

const REPORT_CLOSE = `if (method === 'close') report('close', ctx.params.code, ctx.params.reason, socket.readyState)`

export const closeRows: Row[] = [
  {
    member: 'close',
    says: 'without a code is 1005 at both ends',
    source: `if (method === 'connection') { socket.close(); report(socket.readyState) }\n${REPORT_CLOSE}`,
    client: (session) => closedAnd(session, 2),
    expects: { closed: { code: 1005, reason: '' }, reports: [2, ['close', 1005, 'Buffer ', 3]] }
  },
  ...[1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999].map((code): Row => ({
    member: 'close',
    says: `with the code ${code} and a reason says both to the client, and hears them back`,
    source: `if (method === 'connection') socket.close(${code}, 'bye é')\n${REPORT_CLOSE}`,
    client: (session) => closedAnd(session, 1),
    expects: { closed: { code, reason: 'bye é' }, reports: [['close', code, 'Buffer bye é', 3]] }
  })),
  {
    member: 'close',
    says: 'takes the reason as Buffer or Uint8Array, up to 123 bytes',
    source: `if (method === 'message') socket.close(1000, String(ctx.params.data) === 'buffer' ? Buffer.from('b'.repeat(123)) : new Uint8Array([120, 121]))`,
    client: async ({ client, connect }) => {
      const other = await connect()
      client.send('buffer')
      other.send('bytes')
      return [await client.closed, await other.closed]
    },
    expects: [
      { code: 1000, reason: 'b'.repeat(123) },
      { code: 1000, reason: 'xy' }
    ]
  },
  {
    member: 'close',
    says: 'leaves an empty or unusual reason out',
    source: `if (method === 'message') {
      const reasons = { undefined: undefined, empty: '', number: 5, arraybuffer: new ArrayBuffer(2), bytes: new Uint8Array(0) }
      socket.close(4000, reasons[String(ctx.params.data)])
    }`,
    client: ({ connect }) =>
      Promise.all(
        ['undefined', 'empty', 'number', 'arraybuffer', 'bytes'].map(async (kind) => {
          const client = await connect()
          client.send(kind)
          return client.closed
        })
      ),
    expects: Array.from({ length: 5 }, () => ({ code: 4000, reason: '' }))
  },
  {
    member: 'close',
    says: 'throws for codes that may not be sent, and the socket stays open',
    source: `if (method === 'connection') {
      for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, -1000, '1000', NaN, Infinity, null, true, {}]) report(thrown(() => socket.close(code)))
      report(socket.readyState)
    }
    if (method === 'message') socket.send('still open')`,
    client: async ({ client, reports }) => {
      client.send('are you there')
      return [...(await reports(16)), await client.next()]
    },
    expects: [...Array.from({ length: 15 }, () => INVALID_CODE), 1, 'still open']
  },
  {
    member: 'close',
    says: 'cuts a fraction off the code',
    source: `if (method === 'connection') socket.close(4000.9)`,
    client: ({ client }) => client.closed,
    expects: { code: 4000, reason: '' }
  },
  {
    member: 'close',
    says: 'throws for a reason that is too long or of a wrong kind, and the socket stays open',
    source: `if (method === 'connection') {
      const reasons = ['x'.repeat(124), 'é'.repeat(62), Buffer.alloc(124), null, new Uint16Array([1, 2]), { length: 1 }, [1]]
      for (const reason of reasons) report(thrown(() => socket.close(1000, reason)))
      report(socket.readyState)
    }
    if (method === 'message') socket.send('still open')`,
    client: async ({ client, reports }) => {
      client.send('are you there')
      return [...(await reports(8)), await client.next()]
    },
    expects: [
      'RangeError: The message must not be greater than 123 bytes',
      'RangeError: The message must not be greater than 123 bytes',
      'RangeError: The message must not be greater than 123 bytes',
      "TypeError: Cannot read properties of null (reading 'length')",
      'TypeError: Second argument must be a string or a Uint8Array',
      'TypeError ERR_INVALID_ARG_TYPE: The "string" argument must be of type string or an instance of Buffer or ArrayBuffer. Received an instance of Object',
      'TypeError ERR_INVALID_ARG_TYPE: The "string" argument must be of type string or an instance of Buffer or ArrayBuffer. Received an instance of Array',
      1,
      'still open'
    ]
  },
  {
    member: 'close',
    says: 'the second time, or with a bad code when it is closing, does nothing',
    source: `if (method === 'connection') {
      socket.close(4001, 'first')
      report(thrown(() => socket.close(4002, 'second')), thrown(() => socket.close(999)))
    }
    if (method === 'close') report('close', ctx.params.code, thrown(() => socket.close(4003)), thrown(() => socket.close(999)), socket.readyState)`,
    client: (session) => closedAnd(session, 2),
    expects: { closed: { code: 4001, reason: 'first' }, reports: [['nothing', 'nothing'], ['close', 4001, 'nothing', 'nothing', 3]] }
  },
  {
    member: 'close',
    says: 'comes after what was sent before it, and what is sent after it is dropped',
    source: `if (method === 'connection') { socket.send('before'); socket.close(4000); socket.send('after') }`,
    client: async ({ client }) => [await client.next(), (await client.closed).code, client.waiting],
    expects: ['before', 4000, 0]
  },
  {
    member: 'close',
    says: 'by the client is told with its code and reason, once',
    source: `if (method === 'close') report('close', ctx.params.code, ctx.params.reason, Object.keys(ctx.params), socket.readyState)`,
    client: async ({ client, connect, reports }) => {
      const [without, other] = [await connect(), await connect()]
      const seen: unknown[] = []
      for (const close of [() => client.close(3001, 'reason'), () => without.close(), () => other.ws.terminate()]) {
        void close()
        seen.push(...(await reports(1)))
      }
      return seen
    },
    expects: [
      ['close', 3001, 'Buffer reason', ['code', 'reason'], 3],
      ['close', 1005, 'Buffer ', ['code', 'reason'], 3],
      ['close', 1006, 'Buffer ', ['code', 'reason'], 3]
    ]
  },
  {
    member: 'close',
    says: 'lets messages that the client has sent before its own close frame arrive',
    source: `if (method === 'message') { report(String(ctx.params.data), socket.readyState); socket.close(4000) }\n${REPORT_CLOSE}`,
    client: async ({ client, reports }) => {
      for (const text of ['a', 'b', 'c']) client.send(text)
      return reports(4)
    },
    expects: [
      ['a', 1],
      ['b', 2],
      ['c', 2],
      ['close', 4000, 'Buffer ', 3]
    ]
  },
  {
    member: 'terminate',
    says: 'is 1006 at both ends; readyState is CLOSING at once',
    source: `if (method === 'message') { report(socket.terminate(), socket.readyState); socket.terminate(); socket.close(4000) }
    if (method === 'close') { report('close', ctx.params.code, ctx.params.reason, socket.readyState); report(thrown(() => socket.terminate()), socket.readyState) }`,
    client: (session) => {
      session.client.send('go')
      return closedAnd(session, 3)
    },
    expects: { closed: { code: 1006, reason: '' }, reports: [['undefined', 2], ['close', 1006, 'Buffer ', 3], ['nothing', 3]] }
  },
  {
    member: 'terminate',
    says: 'in the connection handler ends the client',
    source: `if (method === 'connection') socket.terminate()\n${REPORT_CLOSE}`,
    client: (session) => closedAnd(session, 1),
    expects: { closed: { code: 1006, reason: '' }, reports: [['close', 1006, 'Buffer ', 3]] }
  },
  {
    member: 'terminate',
    says: 'after close does not wait for the client',
    source: `if (method === 'message') { socket.close(4000); socket.terminate() }\n${REPORT_CLOSE}`,
    client: async ({ client, reports }) => {
      // Nothing that arrives is read, so there is no answer to the close frame.
      client.ws.pause()
      client.send('go')
      return reports(1)
    },
    expects: [['close', 1006, 'Buffer ', 3]]
  },
  {
    member: 'event error',
    says: 'comes for a broken frame, before close, with the code of ws',
    source: `if (method === 'connection') socket.on('error', (...args) => report('listener', args.length, args[0] === socket.seen, socket.readyState))
    if (method === 'error') { socket.seen = ctx.params; report('main', ctx.params, ctx.params instanceof Error, socket.readyState) }
    ${REPORT_CLOSE}`,
    client: (session) => {
      writeRaw(session, INVALID_UTF8)
      return closedAnd(session, 3)
    },
    expects: {
      closed: { code: 1007, reason: '' },
      reports: [
        ['main', 'Error WS_ERR_INVALID_UTF8: Invalid WebSocket frame: invalid UTF-8 sequence', true, 2],
        ['listener', 1, true, 2],
        ['close', 1006, 'Buffer ', 3]
      ]
    }
  },
  {
    member: 'event error',
    says: 'has the class that ws gives it, and needs no listener',
    source: `if (method === 'error') report(ctx.params, ctx.params instanceof RangeError)\n${REPORT_CLOSE}`,
    client: (session) => {
      writeRaw(session, RESERVED_OPCODE)
      return closedAnd(session, 2)
    },
    expects: { closed: { code: 1002, reason: '' }, reports: [['RangeError WS_ERR_INVALID_OPCODE: Invalid WebSocket frame: invalid opcode 3', true], ['close', 1006, 'Buffer ', 3]] }
  },
  {
    member: 'event error',
    says: 'is heard by listeners to events.errorMonitor, whether or not there are others',
    top: `import { errorMonitor } from 'events'`,
    source: `if (method === 'connection') socket.on(errorMonitor, ({ code }) => report(code))`,
    client: async (session) => {
      writeRaw(session, INVALID_UTF8)
      return session.reports(1)
    },
    expects: ['WS_ERR_INVALID_UTF8'],
    onlyOurs: true
  }
]
