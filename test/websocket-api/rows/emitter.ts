import { until } from '../../support/until.ts'
import type { Row, Session } from '../row.ts'

const INVALID_LISTENER = 'TypeError ERR_INVALID_ARG_TYPE'

/** Sends texts and gives what was reported. */
function sending(texts: string[], count: number): (session: Session) => Promise<unknown> {
  return async ({ client, reports }) => {
    for (const text of texts) client.send(text)
    return reports(count)
  }
}

function isLogged(logs: string[], texts: string[]): boolean {
  return texts.every((text) => logs.some((line) => line.includes(text)))
}

export const emitterRows: Row[] = [
  {
    member: 'on',
    says: 'message has a Buffer and isBinary; this is the socket; main comes first',
    source: `if (method === 'connection') socket.on('message', function (...args) { report('listener', args, this === socket, arguments.length) })
    if (method === 'message') report('main', ctx.params.data)`,
    client: async ({ client, reports }) => {
      client.send('text')
      client.send(Buffer.from('bytes'))
      return reports(4)
    },
    expects: [
      ['main', 'Buffer text'],
      ['listener', ['Buffer text', false], true, 2],
      ['main', 'Buffer bytes'],
      ['listener', ['Buffer bytes', true], true, 2]
    ]
  },
  {
    member: 'on',
    says: 'gives main and the listener the same data',
    source: `if (method === 'connection') socket.on('message', (data) => report(data === socket.last))
    if (method === 'message') socket.last = ctx.params.data`,
    client: sending(['go'], 1),
    expects: [true]
  },
  // What a function asks its client in the middle of a message was answered by the question itself.
  {
    member: 'on',
    says: 'what main adds hears the next event, by whatever way it is added',
    top: `import { once } from 'events'`,
    source: `if (method === 'message' && ctx.params.data.toString() === 'ask') {
      socket.once('message', (data) => report('once', data))
      socket.onmessage = ({ data }) => report('onmessage', data)
      socket.addEventListener('message', ({ data }) => report('addEventListener', data), { once: true })
      void once(socket, 'message').then(([data]) => report('events.once', data))
    }`,
    client: sending(['ask', 'Bob'], 4),
    expects: [
      ['once', 'Buffer Bob'],
      ['onmessage', 'Bob'],
      ['addEventListener', 'Bob'],
      ['events.once', 'Buffer Bob']
    ]
  },
  {
    member: 'on',
    says: 'what main adds in the close event hears nothing any more',
    source: `if (method === 'connection') socket.on('close', () => report('listener'))
    if (method === 'close') { socket.on('close', () => report('never')); setTimeout(() => report('later'), 50) }`,
    client: async ({ client, reports }) => {
      void client.close()
      return reports(2)
    },
    expects: ['listener', 'later']
  },
  {
    member: 'off, removeListener',
    says: 'what main takes away still hears this event',
    source: `if (method === 'connection') { socket.heard = (data) => report('heard', data); socket.on('message', socket.heard) }
    if (method === 'message') { report('main', ctx.params.data); socket.off('message', socket.heard) }`,
    client: sending(['1', '2'], 3),
    expects: [
      ['main', 'Buffer 1'],
      ['heard', 'Buffer 1'],
      ['main', 'Buffer 2']
    ]
  },
  {
    member: 'on',
    says: 'runs the part of an async main before its first await, then the listeners, then the rest',
    source: `if (method === 'connection') socket.on('message', () => report('listener'))
    if (method === 'message') return (async () => { report('main'); await null; report('rest') })()`,
    client: sending(['go'], 3),
    expects: ['main', 'listener', 'rest']
  },
  {
    member: 'on',
    says: 'close has the code and the reason as Buffer, after main',
    source: `if (method === 'connection') socket.on('close', function (...args) { report('listener', args, this === socket) })
    if (method === 'close') report('main', ctx.params)`,
    client: async ({ client, reports }) => {
      void client.close(4000, 'bye')
      return reports(2)
    },
    expects: [
      ['main', { code: 4000, reason: 'Buffer bye' }],
      ['listener', [4000, 'Buffer bye'], true]
    ]
  },
  {
    member: 'on',
    says: 'calls listeners in the order in which they were added, the same one as often as it was added, and returns the socket',
    source: `if (method === 'connection') {
      const twice = () => report('twice')
      report(socket.on('message', () => report(1)).addListener('message', twice).on('message', twice).on('message', () => report(2)) === socket)
    }`,
    client: sending(['go'], 5),
    expects: [true, 1, 'twice', 'twice', 2]
  },
  {
    member: 'on',
    says: 'throws for what is no function',
    source: `if (method === 'connection') {
      for (const add of ['on', 'once', 'addListener', 'prependListener', 'prependOnceListener', 'off', 'removeListener']) report(add, thrownKind(() => socket[add]('message', 5)))
      report(thrownKind(() => socket.on('message')))
    }`,
    expects: [
      ...['on', 'once', 'addListener', 'prependListener', 'prependOnceListener', 'off', 'removeListener'].map((add) => [add, INVALID_LISTENER]),
      INVALID_LISTENER
    ]
  },
  {
    member: 'on',
    says: 'works for events with names of the function\'s own, and symbols',
    source: `if (method === 'connection') {
      const symbol = Symbol('mine')
      socket.on('mine', (...args) => report('mine', args))
      socket.on(symbol, (...args) => report('symbol', args))
      report(socket.emit('mine', 1, 'two'), socket.emit(symbol), socket.emit('nobody listens'))
    }`,
    expects: [
      ['mine', [1, 'two']],
      ['symbol', []],
      [true, true, false]
    ]
  },
  {
    member: 'once',
    says: 'hears one event only',
    source: `if (method === 'connection') { socket.once('message', (data) => report('once', data)); socket.on('message', (data) => report('on', data)) }`,
    client: sending(['a', 'b'], 3),
    expects: [
      ['once', 'Buffer a'],
      ['on', 'Buffer a'],
      ['on', 'Buffer b']
    ]
  },
  {
    member: 'off, removeListener',
    says: 'takes away what was added last, one at a time, also a once listener; unknown ones are ignored',
    source: `if (method === 'connection') {
      const a = () => report('a'), b = () => report('b'), c = () => report('c')
      socket.on('message', a).on('message', b).on('message', a).once('message', c)
      report(socket.off('message', a).removeListener('message', c).off('message', () => {}).off('nothing', a) === socket)
    }`,
    client: sending(['go'], 3),
    expects: [true, 'a', 'b']
  },
  {
    member: 'off, removeListener',
    says: 'within an event leaves the listeners of this event as they were',
    source: `if (method === 'connection') {
      const b = () => report('b')
      socket.on('message', () => { report('a'); socket.off('message', b) })
      socket.on('message', b)
    }`,
    client: sending(['1', '2'], 3),
    expects: ['a', 'b', 'a']
  },
  {
    member: 'removeAllListeners',
    says: 'takes away the listeners of an event, or all, and main goes on',
    source: `if (method === 'connection') {
      socket.on('message', () => report('never')).on('ping', () => {}).on('mine', () => {})
      report(socket.removeAllListeners('message') === socket, socket.eventNames())
      socket.on('message', () => report('never'))
      report(socket.removeAllListeners().eventNames())
    }
    if (method === 'message') report('main', ctx.params.data)`,
    client: sending(['go'], 3),
    expects: [
      [true, ['ping', 'mine']],
      [],
      ['main', 'Buffer go']
    ]
  },
  {
    member: 'prependListener, prependOnceListener',
    says: 'come before the others, and after main',
    source: `if (method === 'connection') {
      socket.on('message', () => report('on'))
      report(socket.prependListener('message', () => report('prepended')).prependOnceListener('message', () => report('prepended once')) === socket)
    }
    if (method === 'message') report('main')`,
    client: sending(['1', '2'], 8),
    expects: [true, 'main', 'prepended once', 'prepended', 'on', 'main', 'prepended', 'on']
  },
  {
    member: 'emit',
    says: 'calls the listeners with its arguments, at once',
    source: `if (method === 'connection') {
      socket.on('message', function (...args) { report(args, this === socket) })
      report(socket.emit('message', 'not from the client', false, 'more'), socket.emit('ping', 'x'))
    }`,
    expects: [
      [['not from the client', false, 'more'], true],
      [true, false]
    ]
  },
  {
    member: 'emit',
    says: 'of a message is not heard by main, which hears what clients do',
    source: `if (method === 'message') report('main', ctx.params.data)
    if (method === 'connection') { socket.emit('message', 'from the function', false); report('emitted') }`,
    expects: [['main', 'from the function'], 'emitted'],
    ours: ['emitted'],
    client: async ({ client, reports }) => {
      client.send('from the client')
      const seen: unknown[] = []
      while (JSON.stringify(seen.at(-1)) !== '["main","Buffer from the client"]') seen.push(...(await reports(1)))
      return seen.slice(0, -1)
    }
  },
  {
    member: 'emit',
    says: 'of an error without a listener throws it',
    source: `if (method === 'connection') report(thrown(() => socket.emit('error', new RangeError('mine'))))`,
    expects: ['RangeError: mine'],
    onlyOurs: true
  },
  {
    member: 'listeners, rawListeners, listenerCount, eventNames',
    says: 'tell what the function has added, and nothing else',
    source: `if (method === 'connection') {
      report(socket.eventNames(), socket.listenerCount('message'), socket.listeners('message'))
      const on = () => {}, once = () => {}
      socket.on('message', on).once('message', once).on('close', on)
      report(socket.eventNames(), socket.listenerCount('message'), socket.listenerCount('message', on), socket.listenerCount('nothing'))
      const listeners = socket.listeners('message'), raw = socket.rawListeners('message')
      report(listeners.length, listeners[0] === on, listeners[1] === once, raw[0] === on, raw[1] === once, raw[1].listener === once)
      listeners.length = 0
      report(socket.listenerCount('message'), socket.listeners('nothing'), socket.rawListeners('nothing'))
    }`,
    expects: [
      [[], 0, []],
      [['message', 'close'], 2, 1, 0],
      [2, true, true, true, false, true],
      [2, [], []]
    ]
  },
  {
    member: 'setMaxListeners, getMaxListeners',
    says: 'is 10 until it is set',
    source: `if (method === 'connection') { report(socket.getMaxListeners(), socket.setMaxListeners(50) === socket, socket.getMaxListeners(), thrownKind(() => socket.setMaxListeners(-1))) }`,
    expects: [[10, true, 50, 'RangeError ERR_OUT_OF_RANGE']]
  },
  {
    member: 'events newListener',
    says: 'tell of listeners that come and go',
    source: `if (method === 'connection') {
      const listener = () => {}
      socket.on('newListener', (name, added) => report('new', name, added === listener))
      socket.on('message', listener)
      socket.on('removeListener', (name, removed) => report('gone', name, removed === listener))
      socket.off('message', listener)
    }`,
    expects: [
      ['new', 'message', true],
      ['new', 'removeListener', false],
      ['gone', 'message', true]
    ]
  },
  {
    member: 'events of the module',
    says: 'events.once and events.on wait for messages, and for close',
    top: `import { once, on } from 'events'`,
    source: `if (method !== 'connection') return
    return (async () => {
      const [data, isBinary] = await once(socket, 'message')
      report('once', data, isBinary)
      const closed = once(socket, 'close')
      for await (const [data] of on(socket, 'message')) {
        report('on', data)
        if (String(data) === 'c') break
      }
      socket.close(4000)
      report('close', (await closed)[0])
    })()`,
    client: async ({ client, reports }) => {
      client.send('a')
      const seen = await reports(1)
      client.send('b')
      client.send('c')
      return [...seen, ...(await reports(3))]
    },
    expects: [
      ['once', 'Buffer a', false],
      ['on', 'Buffer b'],
      ['on', 'Buffer c'],
      ['close', 4000]
    ]
  },
  {
    member: 'a listener that throws',
    says: 'is logged; the next events come, and the close event too',
    source: `if (method === 'connection') {
      socket.on('message', (data) => { if (String(data) === 'throw') throw new Error('thrown by a listener') })
      socket.on('message', (data) => report('second', data))
      socket.on('close', () => { throw new Error('thrown at close') })
    }
    if (method === 'close') report('close')`,
    client: async ({ client, reports, logs }) => {
      client.send('throw')
      client.send('go on')
      const seen = await reports(1)
      void client.close()
      seen.push(...(await reports(1)))
      await until('both errors are logged', async () => isLogged(await logs(), ['thrown by a listener', 'thrown at close']))
      return seen
    },
    expects: [['second', 'Buffer go on'], 'close'],
    onlyOurs: true
  },
  {
    member: 'a listener that throws',
    says: 'and a callback that throws is logged; the other callbacks are called',
    source: `if (method === 'connection') {
      socket.send('a', () => { throw new Error('thrown by a callback') })
      socket.ping(() => { throw new Error('thrown by a ping callback') })
      socket.send('b', () => report('b'))
    }
    if (method === 'message') report('message')`,
    client: async ({ client, reports, logs }) => {
      const seen = await reports(1)
      client.send('go')
      seen.push(...(await reports(1)))
      await until('both errors are logged', async () => isLogged(await logs(), ['thrown by a callback', 'thrown by a ping callback']))
      return seen
    },
    expects: ['b', 'message'],
    onlyOurs: true
  },
  {
    member: 'a listener that throws',
    says: 'is not main: what main throws keeps no listener from hearing',
    source: `if (method === 'connection') socket.on('message', (data) => report('listener', data))
    if (method === 'message') throw new Error('thrown by main')`,
    client: sending(['a', 'b'], 2),
    expects: [
      ['listener', 'Buffer a'],
      ['listener', 'Buffer b']
    ]
  }
]
