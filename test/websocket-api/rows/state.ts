import type { Row } from '../row.ts'

export const stateRows: Row[] = [
  {
    member: 'readyState',
    says: 'is OPEN in connection and message, CLOSING after close, CLOSED in close',
    source: `report(method, socket.readyState)
    if (method === 'message') { socket.close(); report('after close', socket.readyState) }`,
    client: async ({ client, reports }) => {
      client.send('go')
      return reports(4)
    },
    expects: [
      ['connection', 1],
      ['message', 1],
      ['after close', 2],
      ['close', 3]
    ]
  },
  {
    member: 'readyState',
    says: 'is CLOSED in listeners of close too, and cannot be assigned',
    source: `if (method === 'connection') {
      socket.on('close', () => report('on', socket.readyState))
      socket.onclose = () => report('onclose', socket.readyState)
      report(thrownKind(() => { 'use strict'; socket.readyState = 3 }))
      socket.close()
    }`,
    expects: ['TypeError', ['on', 3], ['onclose', 3]]
  },
  {
    member: 'CONNECTING, OPEN, CLOSING, CLOSED',
    says: 'are on the class, its prototype and the socket, and cannot be changed',
    top: `import WebSocket from 'ws'`,
    source: `if (method === 'connection') {
      for (const name of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']) {
        const { value, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(WebSocket.prototype, name)
        report(name, WebSocket[name], socket[name], value, writable, enumerable, configurable)
      }
      report(socket.readyState === WebSocket.OPEN, thrownKind(() => { 'use strict'; WebSocket.OPEN = 5 }))
    }`,
    expects: [
      ['CONNECTING', 0, 0, 0, false, true, false],
      ['OPEN', 1, 1, 1, false, true, false],
      ['CLOSING', 2, 2, 2, false, true, false],
      ['CLOSED', 3, 3, 3, false, true, false],
      [true, 'TypeError']
    ]
  },
  {
    member: 'protocol',
    says: 'is the first that the client offers',
    protocols: ['second-rate', 'b', 'a'],
    source: `if (method === 'connection') report(socket.protocol)`,
    client: async ({ client, report }) => [await report(), client.ws.protocol],
    expects: ['second-rate', 'second-rate']
  },
  {
    member: 'protocol',
    says: 'is empty without an offer, and cannot be assigned',
    source: `if (method === 'connection') { report(socket.protocol); report(thrownKind(() => { 'use strict'; socket.protocol = 'x' })) }`,
    expects: ['', 'TypeError']
  },
  {
    member: 'extensions',
    says: 'is empty, because compression is off',
    source: `if (method === 'connection') report(socket.extensions)`,
    client: async ({ client, report }) => [await report(), client.ws.extensions],
    expects: ['', '']
  },
  {
    member: 'url',
    says: 'is undefined at the server',
    source: `if (method === 'connection') report(socket.url)`,
    expects: ['undefined']
  },
  {
    member: 'binaryType',
    says: 'is nodebuffer at first, takes four values, and ignores others',
    source: `if (method === 'connection') {
      report(socket.binaryType)
      for (const type of ['arraybuffer', 'fragments', 'blob', 'nodebuffer', 'arraybuffer', 'buffer', '', null, undefined, 5]) { socket.binaryType = type; report(socket.binaryType) }
    }`,
    expects: ['nodebuffer', 'arraybuffer', 'fragments', 'blob', 'nodebuffer', 'arraybuffer', 'arraybuffer', 'arraybuffer', 'arraybuffer', 'arraybuffer', 'arraybuffer']
  },
  ...([
    ['nodebuffer', 'Buffer'],
    ['arraybuffer', 'ArrayBuffer']
  ] as const).map(([type, shown]): Row => ({
    member: 'binaryType',
    says: `${type} is what binary messages are, for main and listeners; texts are Buffers`,
    source: `if (method === 'connection') {
      socket.binaryType = '${type}'
      socket.on('message', (data, isBinary) => report('listener', data, isBinary))
      socket.addEventListener('message', ({ data }) => report('event', data))
    }
    if (method === 'message') report('main', ctx.params.data, ctx.params.isBinary)`,
    client: async ({ client, reports }) => {
      client.send('text')
      client.send(Buffer.from('bytes'))
      client.send(Buffer.alloc(0))
      return reports(9)
    },
    expects: [
      ['main', 'Buffer text', false],
      ['listener', 'Buffer text', false],
      ['event', 'text'],
      ['main', `${shown} bytes`, true],
      ['listener', `${shown} bytes`, true],
      ['event', `${shown} bytes`],
      ['main', `${shown} `, true],
      ['listener', `${shown} `, true],
      ['event', `${shown} `]
    ]
  })),
  {
    member: 'binaryType',
    says: 'fragments is a list of Buffers, also in an event object',
    source: `if (method === 'connection') {
      socket.binaryType = 'fragments'
      socket.addEventListener('message', ({ data }) => report('event', Array.isArray(data)))
    }
    if (method === 'message') {
      const { data, isBinary } = ctx.params
      report(isBinary ? [Array.isArray(data), data.every(Buffer.isBuffer), Buffer.concat(data)] : data)
    }`,
    client: async ({ client, reports }) => {
      client.send('text')
      client.send(Buffer.from('whole'))
      client.ws.send('pa', { binary: true, fin: false })
      client.ws.send('rts', { fin: true })
      return reports(6)
    },
    expects: ['Buffer text', ['event', false], [true, true, 'Buffer whole'], ['event', true], [true, true, 'Buffer parts'], ['event', true]]
  },
  {
    member: 'binaryType',
    says: 'fragments of an empty message are none',
    source: `if (method === 'connection') socket.binaryType = 'fragments'
    if (method === 'message') report(ctx.params.data)`,
    client: async ({ client, reports }) => {
      client.send(Buffer.alloc(0))
      return reports(1)
    },
    expects: [[]]
  },
  {
    member: 'binaryType',
    says: 'fragments are as many as the client has sent',
    source: `if (method === 'connection') socket.binaryType = 'fragments'
    if (method === 'message') report(ctx.params.data)`,
    client: async ({ client, reports }) => {
      client.ws.send('pa', { binary: true, fin: false })
      client.ws.send('rts', { fin: true })
      return reports(1)
    },
    expects: [['Buffer pa', 'Buffer rts']],
    ours: [['Buffer parts']]
  },
  {
    member: 'binaryType',
    says: 'blob is a Blob for binary messages',
    source: `if (method === 'connection') socket.binaryType = 'blob'
    if (method === 'message') {
      const { data, isBinary } = ctx.params
      if (!isBinary) report(data)
      else data.text().then((text) => report(data instanceof Blob, data.size, text))
    }`,
    client: async ({ client, reports }) => {
      client.send(Buffer.from('bytes'))
      const binary = await reports(1)
      client.send('text')
      return [...binary, ...(await reports(1))]
    },
    expects: [[true, 5, 'bytes'], 'Buffer text']
  },
  {
    member: 'binaryType',
    says: 'can be changed between messages, and is of each socket',
    source: `if (method === 'message') { report(ctx.params.data); socket.binaryType = 'arraybuffer' }`,
    client: async ({ client, connect, report }) => {
      const other = await connect()
      const seen: unknown[] = []
      for (const from of [client, client, other]) {
        from.send(Buffer.from('x'))
        seen.push(await report())
      }
      return seen
    },
    expects: ['Buffer x', 'ArrayBuffer x', 'Buffer x']
  },
  {
    member: 'pause, resume, isPaused',
    says: 'holds messages back until it is resumed; then they come in order',
    source: `if (method === 'connection') { report(socket.isPaused); report(socket.pause(), socket.isPaused) }
    if (method === 'message') report(String(ctx.params.data))
    onCommand = (text) => {
      if (text === 'resume') report(socket.resume(), socket.isPaused)
      else report(text)
    }`,
    client: async ({ client, command, reports }) => {
      const seen = await reports(2)
      for (const text of ['a', 'b', 'c']) client.send(text)
      for (const text of ['1', '2', '3']) {
        command(text)
        seen.push(...(await reports(1)))
      }
      command('resume')
      return [...seen, ...(await reports(4))]
    },
    expects: [false, ['undefined', true], '1', '2', '3', ['undefined', false], 'a', 'b', 'c']
  },
  {
    member: 'pause, resume, isPaused',
    says: 'does not keep the function from sending',
    source: `if (method === 'connection') { socket.pause(); socket.send('sent while paused'); socket.ping('pinged') }`,
    client: async ({ client }) => client.next(),
    expects: 'sent while paused'
  },
  {
    member: 'pause, resume, isPaused',
    says: 'can be called again and again, and do nothing when the socket is closed',
    source: `if (method === 'connection') {
      socket.pause(); socket.pause(); socket.resume(); report(socket.isPaused); socket.resume(); report(socket.isPaused)
    }
    if (method === 'message') { report(String(ctx.params.data)); socket.terminate() }
    if (method === 'close') { socket.pause(); report(socket.isPaused); socket.resume(); report(socket.isPaused) }`,
    client: async ({ client, reports }) => {
      client.send('read')
      return reports(5)
    },
    expects: [false, false, 'read', false, false]
  },
  {
    member: 'pause, resume, isPaused',
    says: 'isPaused cannot be assigned',
    source: `if (method === 'connection') report(thrownKind(() => { 'use strict'; socket.isPaused = true }))`,
    expects: ['TypeError']
  },
  {
    member: 'pause, resume, isPaused',
    says: 'of a socket that is closed by the function while it is paused still brings the close event',
    source: `if (method === 'connection') { socket.pause(); socket.terminate() }
    if (method === 'close') report(ctx.params.code)`,
    expects: [1006]
  },
  {
    member: 'pause, resume, isPaused',
    says: 'keeps the close of the client back too, behind its messages',
    source: `if (method === 'connection') { socket.pause(); report('paused') }
    if (method === 'message') report(String(ctx.params.data))
    if (method === 'close') report('close', ctx.params.code)
    onCommand = (text) => { if (text === 'resume') socket.resume(); else report(text) }`,
    client: async ({ client, command, reports }) => {
      const seen = await reports(1)
      client.send('a')
      void client.close(4000)
      for (const text of ['1', '2']) {
        command(text)
        seen.push(...(await reports(1)))
      }
      command('resume')
      return [...seen, ...(await reports(2))]
    },
    expects: ['paused', '1', '2', 'a', ['close', 4000]]
  },
  {
    member: 'ctx',
    says: 'belongs to the event: what a handler writes into it is gone with the next',
    source: `report(method, socket === ctx.socket, typeof ctx.params)
    ctx.socket = null
    ctx.params = 5
    ctx.mine = 1
    delete ctx.method
    if (ctx.mine !== 1) report('frozen')`,
    client: async ({ client, reports }) => {
      client.send('go')
      return reports(2)
    },
    expects: [
      ['connection', true, 'object'],
      ['message', true, 'object']
    ]
  },
  {
    member: 'ctx',
    says: 'has the keys of laf in every event',
    source: `report(method, Object.keys(ctx).join(' '))`,
    client: async ({ client, reports }) => {
      client.send('go')
      void client.close()
      return reports(3)
    },
    expects: ['connection', 'message', 'close'].map((method) => [method, 'params method requestId socket __function_name url headers'])
  },
  {
    member: 'ctx',
    says: 'has params by event, and url and headers in connection only',
    source: `report(method, ctx.params, typeof ctx.url, ctx.headers?.upgrade, ctx.__function_name, typeof ctx.requestId)`,
    client: async ({ client, reports }) => {
      client.send('go')
      void client.close(1000)
      return reports(3)
    },
    expects: [
      ['connection', null, 'string', 'websocket', '__websocket__', 'string'],
      ['message', { data: 'Buffer go', isBinary: false }, 'undefined', 'undefined', '__websocket__', 'string'],
      ['close', { code: 1000, reason: 'Buffer ' }, 'undefined', 'undefined', '__websocket__', 'string']
    ]
  },
  {
    member: 'identity',
    says: 'is one object in all events and listeners of a connection, and another for another',
    top: `const first = new Map(), seen = new Set(), weak = new WeakMap()`,
    source: `if (method === 'connection') {
      first.set(socket, 0)
      seen.add(socket)
      weak.set(socket, 'weak')
      socket.once('message', function () { report('this', this === socket) })
    }
    first.set(socket, first.get(socket) + 1)
    report(method, first.get(socket), seen.has(socket), weak.get(socket), first.size)`,
    client: async ({ client, connect, reports }) => {
      client.send('go')
      const before = await reports(3)
      const other = await connect()
      const others = await reports(1)
      void client.close()
      return [...before, ...others, ...(await reports(1)), other.ws.readyState]
    },
    expects: [['connection', 1, true, 'weak', 1], ['message', 2, true, 'weak', 1], ['this', true], ['connection', 1, true, 'weak', 2], ['close', 3, true, 'weak', 2], 1]
  },
  {
    member: 'identity',
    says: 'keeps extra properties, of any name and kind',
    source: `if (method === 'connection') Object.assign(socket, { user: { name: 'ada' }, isAlive: true, 5: 'five', [Symbol.for('s')]: 1, greet() { return 'hi ' + this.user.name } })
    if (method === 'message') { socket.user.seen = true; socket.isAlive = false }
    report(method, socket.user, socket.isAlive, socket[5], socket[Symbol.for('s')], socket.greet())
    if (method === 'message') delete socket.isAlive
    if (method === 'close') report('isAlive' in socket, Object.hasOwn(socket, 'user'))`,
    client: async ({ client, reports }) => {
      client.send('go')
      await reports(2)
      void client.close()
      return reports(2)
    },
    expects: [
      ['close', { name: 'ada', seen: true }, 'undefined', 'five', 1, 'hi ada'],
      [false, true]
    ]
  },
  {
    member: 'identity',
    says: 'is in cloud.sockets while it is open, and not any more in close',
    top: `import cloud from '@lafjs/cloud'`,
    source: `const listed = [...cloud.sockets].includes(socket)
    report(method, cloud.sockets.has(socket), listed, cloud.sockets.size)
    if (method === 'connection') socket.on('close', () => report('listener', cloud.sockets.has(socket)))`,
    client: async ({ client, reports }) => {
      client.send('go')
      void client.close()
      return reports(4)
    },
    // The observer is the other one.
    expects: [
      ['connection', true, true, 2],
      ['message', true, true, 2],
      ['close', false, false, 1],
      ['listener', false]
    ]
  },
  {
    member: 'identity',
    says: 'comes back from cloud.shared as the same socket',
    top: `import cloud from '@lafjs/cloud'`,
    source: `if (method === 'connection') cloud.shared.set('sockets', new Map([['mine', socket]])).set('one', { socket })
    if (method === 'message') report(cloud.shared.get('sockets').get('mine') === socket, cloud.shared.get('one').socket === socket)`,
    client: async ({ client, reports }) => {
      client.send('go')
      return reports(1)
    },
    expects: [[true, true]]
  }
]
