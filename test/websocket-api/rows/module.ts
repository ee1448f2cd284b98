import type { Row } from '../row.ts'

export const moduleRows: Row[] = [
  {
    member: 'import … from \'ws\'',
    says: 'by default, by name, as a whole, by require and by import() is one class',
    top: `import WebSocket, { WebSocket as Named, createWebSocketStream } from 'ws'\nimport * as all from 'ws'`,
    source: `if (method !== 'connection') return
    const required = require('ws')
    report(typeof WebSocket, Named === WebSocket, all.WebSocket === WebSocket, all.default === WebSocket)
    report(required === WebSocket, required.WebSocket === WebSocket)
    report(typeof createWebSocketStream, required.createWebSocketStream === createWebSocketStream, all.createWebSocketStream === createWebSocketStream)
    return import('ws').then((later) => report(later.default === WebSocket, later.WebSocket === WebSocket))`,
    expects: [
      ['function', true, true, true],
      [true, true],
      ['function', true, true],
      [true, true]
    ]
  },
  {
    member: 'instanceof',
    says: 'WebSocket and EventEmitter holds for the socket',
    top: `import WebSocket from 'ws'\nimport { EventEmitter } from 'events'`,
    source: `if (method === 'connection') report(socket instanceof WebSocket, socket instanceof EventEmitter, socket.constructor === WebSocket, WebSocket.name, String(Object.prototype.toString.call(socket)))`,
    expects: [[true, true, true, 'WebSocket', '[object Object]']]
  },
  {
    member: 'instanceof',
    says: 'own keys of the socket are what the function put there, and private ones',
    source: `if (method === 'connection') { socket.mine = 1; report(Object.keys(socket).filter((name) => !name.startsWith('_'))) }`,
    expects: [['mine']]
  },
  {
    member: 'WebSocket.prototype',
    says: 'has the properties of the docs as enumerable ones',
    source: `if (method === 'connection') {
      const seen = []
      for (const name in socket) seen.push(name)
      report(['binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url', 'onopen', 'onmessage', 'onclose', 'onerror'].filter((name) => !seen.includes(name)))
    }`,
    expects: [[]]
  },
  {
    member: 'WebSocket.prototype',
    says: 'can be given methods, which sockets then have',
    top: `import WebSocket from 'ws'`,
    source: `if (method === 'connection') {
      WebSocket.prototype.sendJson = function (value) { this.send(JSON.stringify(value)) }
      socket.sendJson({ a: 1 })
      delete WebSocket.prototype.sendJson
    }`,
    client: async ({ client }) => client.next(),
    expects: '{"a":1}'
  },
  {
    member: 'WebSocket.prototype',
    says: 'methods can be replaced on one socket',
    source: `if (method === 'connection') {
      const send = socket.send
      socket.send = function (data, ...rest) { return send.call(this, 'wrapped ' + data, ...rest) }
      socket.send('message')
    }`,
    client: async ({ client }) => client.next(),
    expects: 'wrapped message'
  },
  {
    member: 'methods',
    says: 'need their socket',
    source: `if (method === 'connection') {
      for (const name of ['send', 'close', 'ping', 'pong', 'pause', 'resume', 'terminate']) { const { [name]: bare } = socket; report(name, thrownKind(() => bare('x'))) }
    }`,
    expects: ['send', 'close', 'ping', 'pong', 'pause', 'resume', 'terminate'].map((name) => [name, 'TypeError'])
  },
  {
    member: 'methods',
    says: 'work on an object that inherits from the socket, and on a Proxy of it',
    source: `if (method === 'connection') {
      report(thrownKind(() => Object.create(socket).send('inherited')))
      report(thrownKind(() => new Proxy(socket, {}).send('proxy')))
      report(thrownKind(() => new Proxy(socket, { get: (target, name) => { const value = target[name]; return typeof value === 'function' ? value.bind(target) : value } }).send('bound')))
    }`,
    expects: ['nothing', 'nothing', 'nothing'],
    ours: ['TypeError', 'TypeError', 'nothing']
  },
  {
    member: 'methods',
    says: 'are not needed to look at it: inspect and String work',
    top: `import { inspect } from 'util'`,
    source: `if (method === 'connection') report(typeof inspect(socket), String(socket))`,
    expects: [['string', '[object Object]']]
  },
  {
    member: 'methods',
    says: 'return undefined',
    source: `if (method === 'connection') report(socket.send('a'), socket.ping(), socket.pong(), socket.pause(), socket.resume(), socket.close())`,
    expects: [['undefined', 'undefined', 'undefined', 'undefined', 'undefined', 'undefined']]
  },
  {
    member: 'new WebSocket(url)',
    says: 'throws: a function opens no connections',
    top: `import WebSocket from 'ws'`,
    source: `if (method === 'connection') { report(thrown(() => new WebSocket('ws://127.0.0.1:1'))); report(thrown(() => new WebSocket(null, undefined, {}))) }`,
    expects: Array.from({ length: 2 }, () => 'TypeError: a function cannot open a WebSocket to somewhere else; clients connect to it'),
    onlyOurs: true
  },
  {
    member: 'WebSocketServer',
    says: 'and Server throw: the platform is the server',
    top: `import { WebSocketServer, Server } from 'ws'`,
    source: `if (method === 'connection') { report(thrown(() => new WebSocketServer({ port: 0 }))); report(thrown(() => new Server({ noServer: true }))) }`,
    expects: Array.from({ length: 2 }, () => 'TypeError: a function cannot listen; clients connect to its app, and __websocket__ is called'),
    onlyOurs: true
  },
  {
    member: 'createWebSocketStream',
    says: 'throws for what is no socket of the app',
    top: `import { createWebSocketStream } from 'ws'`,
    source: `if (method === 'connection') report(thrownKind(() => createWebSocketStream({})), thrownKind(() => createWebSocketStream(null)))`,
    expects: [['TypeError', 'TypeError']]
  },
  {
    member: 'PerMessageDeflate',
    says: 'and what else ws needs for itself is not there',
    top: `import WebSocket from 'ws'`,
    source: `if (method === 'connection') {
      report(['extension', 'PerMessageDeflate', 'Receiver', 'Sender', 'subprotocol'].map((name) => typeof WebSocket[name]))
      report(['setSocket', 'emitClose', '_socket', '_receiver', '_sender', '_readyState', '_closeCode'].map((name) => typeof socket[name]))
    }`,
    expects: [Array.from({ length: 5 }, () => 'undefined'), Array.from({ length: 7 }, () => 'undefined')],
    onlyOurs: true
  }
]
