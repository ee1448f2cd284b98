import type { Row, Session } from '../row.ts'
import { INVALID_UTF8, writeRaw } from './close.ts'

function sending(messages: (string | Buffer)[], count: number): (session: Session) => Promise<unknown> {
  return async ({ client, reports }) => {
    for (const message of messages) client.send(message)
    return reports(count)
  }
}

export const eventTargetRows: Row[] = [
  {
    member: 'addEventListener',
    says: 'calls with a MessageEvent: data is a string for texts, else as binaryType says',
    source: `if (method === 'connection') socket.addEventListener('message', function (event) {
      report(event.type, event.data, event.target === socket, this === socket, event.constructor.name, arguments.length)
      socket.binaryType = 'arraybuffer'
    })`,
    client: sending(['text', Buffer.from('bytes')], 2),
    expects: [
      ['message', 'text', true, true, 'MessageEvent', 1],
      ['message', 'ArrayBuffer bytes', true, true, 'MessageEvent', 1]
    ]
  },
  {
    member: 'addEventListener',
    says: 'returns nothing, ignores an unknown type and a listener that is there, and calls in the order of addition',
    source: `if (method === 'connection') {
      const first = () => report('first')
      report(socket.addEventListener('message', first), socket.addEventListener('ping', first), socket.listenerCount('ping'))
      socket.on('message', () => report('on'))
      socket.addEventListener('message', () => report('last'))
      socket.addEventListener('message', first)
      report(socket.listenerCount('message'))
    }`,
    client: sending(['go'], 5),
    expects: [['undefined', 'undefined', 0], 3, 'first', 'on', 'last']
  },
  {
    member: 'addEventListener',
    says: 'calls handleEvent of an object, on the object',
    source: `if (method === 'connection') {
      const listener = { name: 'mine', handleEvent(event) { report(this.name, event.data, this === listener) } }
      socket.addEventListener('message', listener)
      socket.addEventListener('message', listener)
      report(socket.listenerCount('message'))
    }`,
    client: sending(['a', 'b'], 3),
    expects: [1, ['mine', 'a', true], ['mine', 'b', true]]
  },
  {
    member: 'addEventListener',
    says: 'with once hears one event only',
    source: `if (method === 'connection') {
      const listener = ({ data }) => report('once', data)
      socket.addEventListener('message', listener, { once: true })
      socket.addEventListener('message', listener, { once: true })
      socket.addEventListener('message', ({ data }) => report('always', data), { once: false })
      socket.addEventListener('message', { handleEvent: ({ data }) => report('object', data) }, { once: true })
    }`,
    client: sending(['a', 'b'], 4),
    expects: [
      ['once', 'a'],
      ['always', 'a'],
      ['object', 'a'],
      ['always', 'b']
    ]
  },
  {
    member: 'removeEventListener',
    says: 'takes away functions, objects and once listeners; others and unknown ones stay',
    source: `if (method === 'connection') {
      const f = () => report('f'), o = { handleEvent: () => report('o') }, once = () => report('once'), stays = () => report('stays')
      for (const listener of [f, o, stays]) socket.addEventListener('message', listener)
      socket.addEventListener('message', once, { once: true })
      socket.on('message', f)
      for (const listener of [f, o, once, () => {}]) report(socket.removeEventListener('message', listener))
      socket.removeEventListener('message', f)
      socket.off('message', stays)
      report(socket.listenerCount('message'))
    }`,
    client: sending(['go'], 7),
    expects: ['undefined', 'undefined', 'undefined', 'undefined', 2, 'stays', 'f']
  },
  {
    member: 'addEventListener',
    says: 'calls with a CloseEvent: code, reason as string, wasClean',
    source: `if (method === 'connection') {
      const listener = (event) => report(event.type, event.code, event.reason, event.wasClean, event.target === socket, event.constructor.name)
      socket.addEventListener('close', listener)
      socket.onclose = listener
    }`,
    client: async ({ client, connect, reports }) => {
      const others = [await connect(), await connect()]
      void client.close(4000, 'bye')
      const seen = await reports(2)
      void others[0]!.close()
      seen.push(...(await reports(2)))
      others[1]!.ws.terminate()
      return [...seen, ...(await reports(2))]
    },
    expects: [
      ...Array.from({ length: 2 }, () => ['close', 4000, 'bye', true, true, 'CloseEvent']),
      ...Array.from({ length: 2 }, () => ['close', 1005, '', true, true, 'CloseEvent']),
      ...Array.from({ length: 2 }, () => ['close', 1006, '', false, true, 'CloseEvent'])
    ]
  },
  {
    member: 'addEventListener',
    says: 'tells that a close by the function was clean, and a terminate was not',
    source: `if (method === 'connection') socket.addEventListener('close', (event) => report(event.code, event.reason, event.wasClean))
    if (method === 'message') socket[String(ctx.params.data)](4001, 'bye')`,
    client: async ({ client, connect, reports }) => {
      const other = await connect()
      client.send('close')
      const seen = await reports(1)
      other.send('terminate')
      return [...seen, ...(await reports(1))]
    },
    expects: [
      [4001, 'bye', true],
      [1006, '', false]
    ]
  },
  {
    member: 'addEventListener',
    says: 'calls with an ErrorEvent: error and message',
    source: `if (method === 'connection') {
      const listener = (event) => report(event.type, event.message, event.error === socket.seen, event.target === socket, event.constructor.name)
      socket.addEventListener('error', listener)
      socket.onerror = listener
    }
    if (method === 'error') socket.seen = ctx.params`,
    client: async (session) => {
      writeRaw(session, INVALID_UTF8)
      return session.reports(2)
    },
    expects: Array.from({ length: 2 }, () => ['error', 'Invalid WebSocket frame: invalid UTF-8 sequence', true, true, 'ErrorEvent'])
  },
  {
    member: 'addEventListener',
    says: 'event objects cannot be changed, and have their members on the prototype',
    source: `if (method === 'connection') socket.addEventListener('message', (event) => {
      const members = []
      for (const name in event) members.push(name)
      report(members.sort(), Object.keys(event), thrownKind(() => { 'use strict'; event.data = 5 }))
    })`,
    client: sending(['go'], 1),
    expects: [[['data', 'target', 'type'], [], 'TypeError']]
  },
  {
    member: 'onmessage, onclose, onerror, onopen',
    says: 'are null until they are set, can be replaced, and be taken away',
    source: `if (method === 'connection') {
      report(socket.onmessage, socket.onclose, socket.onerror, socket.onopen)
      const first = ({ data }) => report('first', data), second = ({ data }) => { report('second', data); socket.onmessage = null }
      socket.onmessage = first
      report(socket.onmessage === first, socket.listenerCount('message'))
      socket.onmessage = second
      report(socket.onmessage === second, socket.listenerCount('message'))
    }
    if (method === 'message') report('main', socket.onmessage, socket.listenerCount('message'))`,
    client: sending(['a', 'b'], 6),
    expects: [[null, null, null, null], [true, 1], [true, 1], ['main', 'function second', 1], ['second', 'a'], ['main', null, 0]]
  },
  {
    member: 'onmessage, onclose, onerror, onopen',
    says: 'take functions only; anything else takes the handler away',
    source: `if (method === 'connection') {
      for (const value of [undefined, 5, 'text', {}, { handleEvent() {} }]) { socket.onmessage = () => {}; socket.onmessage = value; report(socket.onmessage, socket.listenerCount('message')) }
    }`,
    expects: Array.from({ length: 5 }, () => [null, 0])
  },
  {
    member: 'onmessage, onclose, onerror, onopen',
    says: 'stand beside addEventListener: the same function twice, and removeEventListener leaves the handler',
    source: `if (method === 'connection') {
      const listener = function ({ data }) { report(data, this === socket) }
      socket.onmessage = listener
      socket.addEventListener('message', listener)
      report(socket.listenerCount('message'))
      socket.removeEventListener('message', listener)
      socket.removeEventListener('message', listener)
      report(socket.onmessage === listener, socket.listenerCount('message'))
    }`,
    client: sending(['go'], 3),
    expects: [2, [true, 1], ['go', true]]
  },
  {
    member: 'onmessage, onclose, onerror, onopen',
    says: 'onopen can be set, and is not called: the socket is open already',
    source: `if (method === 'connection') { socket.onopen = function opened() { report('never') }; socket.on('open', () => report('never')) }
    if (method === 'message') report(socket.onopen)`,
    client: sending(['go'], 1),
    expects: ['function opened']
  },
  {
    member: 'onmessage, onclose, onerror, onopen',
    says: 'are members of the prototype, that a for loop finds',
    top: `import WebSocket from 'ws'`,
    source: `if (method === 'connection') {
      const names = ['onopen', 'onerror', 'onclose', 'onmessage', 'binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url']
      report(names.filter((name) => Object.getOwnPropertyDescriptor(WebSocket.prototype, name)?.get === undefined || !Object.getOwnPropertyDescriptor(WebSocket.prototype, name).enumerable))
    }`,
    expects: [[]]
  },
  {
    member: 'onmessage, onclose, onerror, onopen',
    says: 'are wrapped: listeners tells of a function that is not the handler',
    source: `if (method === 'connection') {
      const handler = () => {}
      socket.onclose = handler
      report(socket.listeners('close').length, socket.listeners('close')[0] === handler, typeof socket.listeners('close')[0])
      socket.removeAllListeners('close')
      report(socket.onclose)
    }`,
    expects: [[1, false, 'function'], null]
  }
]
