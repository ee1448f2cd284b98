import { WEB } from './web.ts'

/**
 * A tenant that breaks what it can reach, one object after the other, and mends it afterwards. The code of the tenant itself keeps clear
 * of what it breaks: plain syntax and what it has taken before. So whatever looks at a broken property is the guest, and is recorded.
 */
export const MODES = ['throws', 'getter', 'deleted'] as const
export type Mode = (typeof MODES)[number]

/** Where the walk begins besides the global object: what no property of it leads to. */
const ROOTS = `[
  globalThis, [][Symbol.iterator]().__proto__, new Map().entries().__proto__, new Set().values().__proto__, ''[Symbol.iterator]().__proto__, 'a'.matchAll(/a/g).__proto__,
  (function* () {})().__proto__, (async function* () {})().__proto__, (function* () {}).constructor, (async function* () {}).constructor, (async function () {}).constructor,
  Uint8Array.__proto__, require('events'), new Response('x').body, new Response('x').body.getReader(), new URLSearchParams('a=1').entries()
]`

export const TENANT = `
  const { default: cloud } = require('@lafjs/cloud')
  const { apply, ownKeys, getPrototypeOf, getOwnPropertyDescriptor, defineProperty, deleteProperty } = Reflect
  const taken = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, queueMicrotask, console, structuredClone, Buffer, URL, Map, Set, Error, String, Symbol, Date, Promise, Uint8Array }
  const { log, error, dir } = console
  const { shared, sockets, getToken, parseToken } = cloud
  const mapGet = shared.get, mapSet = shared.set, mapDelete = shared.delete, setAdd = new Set().add
  const bufferText = Buffer.prototype.toString
  const values = [1, -0, 1.5, 10n, 'text', "it's", 'a\\nb', undefined, null, true, Symbol('s'), { a: 1, b: { c: { d: { e: 1 } } } }, [1, 2, 3], [[1, [2, [3, [4]]]]], new Map([['a', 1]]), new Set([1, 2]), new Date(0), /x/g, new Error('e'),
    new Uint8Array(3), new ArrayBuffer(2), new DataView(new ArrayBuffer(1)), function named() {}, class A {}, () => {}, async () => {}, Promise.resolve(1), new WeakMap(), Object.create(null), new (class B { x = 1 })(), Buffer.from('bytes'),
    Array.from({ length: 120 }, (_, i) => i), new Number(1), new String('boxed'), [, 1, , 2], { get g() { return 1 }, set s(v) {} }, new TypeError('t', { cause: new Error('c') }), [1, 2].values(), new Map([[1, 2]]).entries(),
    'é'.repeat(3), { 'not an identifier': 1, [Symbol('key')]: 2 }, Array.from({ length: 30 }, (_, i) => 'item ' + i), Object(Symbol('y')), Object(1n), new Boolean(false)]
  const circular = { name: 'circle' }
  circular.self = circular
  const binary = new Uint8Array([1, 2, 3, 255])
  const long = 'long '.repeat(400)
  const longBinary = new Uint8Array(3000)

  // --- what there is to break ---

  // A name that leads nowhere new in the language: our own objects are no built-ins, and the tenant may do with them what it likes.
  const owners = []
  const seen = new Set()
  const has = seen.has, add = seen.add
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function'
  const isPlainFunction = (value) => typeof value === 'function' && ownKeys(value).every((key) => key === 'length' || key === 'name' || key === 'arguments' || key === 'caller' || (key === 'prototype' && ownKeys(value.prototype ?? {}).length <= 1))
  const queue = ${ROOTS}.map((object) => [object, object === globalThis ? 'globalThis' : object.name ?? object[Symbol.toStringTag] ?? 'root'])
  for (let i = 0; i < queue.length; i++) {
    const [object, name] = queue[i]
    if (!isObject(object) || apply(has, seen, [object]) || object === cloud || object === sockets || object === shared) continue
    apply(add, seen, [object])
    if (!isPlainFunction(object)) owners.push([object, name])
    const above = getPrototypeOf(object)
    if (above !== null) queue.push([above, name + '.__proto__'])
    for (const key of ownKeys(object)) {
      const d = getOwnPropertyDescriptor(object, key)
      let value = d.value
      if (d.get !== undefined && object === globalThis) value = object[key]
      if (isObject(value)) queue.push([value, (name === 'globalThis' ? '' : name + '.') + String(key)])
    }
  }
  const OWN = ['process.env', 'process.argv', 'process.versions']
  for (let i = owners.length - 1; i >= 0; i--) if (OWN.includes(owners[i][1])) owners.splice(i, 1)

  // --- breaking and mending ---

  let calls = []
  let broken = []
  const kindOf = (value) => value === null ? 'null' : typeof value === 'function' ? 'function' : typeof value
  const spy = (label) => function () {
    calls[calls.length] = { __proto__: null, label, receiver: kindOf(this), count: arguments.length }
    throw 'broken ' + label
  }

  function breakOne(object, key, label, mode) {
    const d = getOwnPropertyDescriptor(object, key)
    if (d === undefined || !d.configurable) {
      if (d === undefined || !d.writable || mode !== 'throws' || typeof d.value !== 'function') return
      broken[broken.length] = [object, key, d]
      object[key] = spy(label)
      return
    }
    broken[broken.length] = [object, key, d]
    if (mode === 'deleted') deleteProperty(object, key)
    else if (mode === 'throws' && typeof d.value === 'function') defineProperty(object, key, { __proto__: null, value: spy(label), writable: true, enumerable: d.enumerable, configurable: true })
    else {
      const trap = spy(label)
      defineProperty(object, key, { __proto__: null, get: trap, set: trap, enumerable: d.enumerable, configurable: true })
    }
  }

  function breakOwner(index, mode, kept) {
    const object = owners[index][0]
    const keys = ownKeys(object)
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]
      const label = labelOf(index, key)
      let isKept = false
      for (let j = 0; j < kept.length; j++) if (kept[j] === label || kept[j] === anyOf(key)) isKept = true
      if (!isKept) breakOne(object, key, label, mode)
    }
  }

  const text = String
  function labelOf(index, key) { return owners[index][1] + '.' + (typeof key === 'symbol' ? '[' + text(key) + ']' : key) }

  function anyOf(key) { return '*.' + (typeof key === 'symbol' ? '[' + text(key) + ']' : key) }

  function mend() {
    for (let i = broken.length - 1; i >= 0; i--) {
      const one = broken[i]
      const object = one[0]
      const key = one[1]
      const d = one[2]
      const { value, get, set, writable, enumerable, configurable } = d
      defineProperty(object, key, get === undefined && set === undefined ? { __proto__: null, value, writable, enumerable, configurable } : { __proto__: null, get, set, enumerable, configurable })
    }
    broken = []
  }

  // --- what the guest has to do meanwhile ---

  const read = (data) => apply(bufferText, data, [])

  const P = WebSocket.prototype
  const { send, ping, pause, resume, join, leave, on, close } = P
  const { get: getData, set: setData } = getOwnPropertyDescriptor(P, 'data')
  const { get: getId } = getOwnPropertyDescriptor(P, 'id')
  const { get: getRooms } = getOwnPropertyDescriptor(P, 'rooms')
  const { nextTick } = process
  const { count, group, groupEnd, assert, time, table } = console
  const say = (socket, data) => { apply(send, socket, [data]) }

${WEB}
  function useAll(ctx) {
    const { socket } = ctx
    say(socket, 'text ' + read(ctx.params.data))
    say(socket, 'é€😀')
    say(socket, binary)
    say(socket, long)
    say(socket, longBinary)
    apply(send, socket, ['told', () => { say(socket, 'written') }])
    apply(send, socket, ['part ', { fin: false }])
    say(socket, 'end')
    apply(ping, socket, ['ping'])
    apply(pause, socket, [])
    apply(resume, socket, [])
    apply(join, socket, ['room'])
    const room = sockets.in('room')
    room.send('to the room', { except: socket })
    room.send('to the room')
    room.has(socket)
    room.size
    sockets.send('to all')
    say(sockets.get(apply(getId, socket, [])), 'found')
    apply(getRooms, socket, [])
    apply(leave, socket, ['room'])
    apply(setData, socket, [{ a: 1, list: [1, 2, { b: new taken.Map() }], d: new taken.Date(0) }])
    apply(getData, socket, []).a++
    for (let i = 0; i < values.length; i++) log('value', values[i])
    log(circular)
    log('%s and %d %i %f %j %o %O %c %%', 'x', 1.5, 2, 3.5, values[12], values[11], values[12], 'css')
    error('an error', values[18])
    log('plain')
    log()
    count()
    group('g')
    groupEnd()
    assert(false, 'assertion')
    time('t')
    table(values[12])
    dir(values[11], { depth: 0 })
    const n = apply(mapGet, shared, ['n'])
    apply(mapSet, shared, ['n', n === undefined ? 1 : n + 1])
    const users = new taken.Map()
    apply(mapSet, users, ['self', socket])
    apply(mapSet, users, ['b', { deep: [1, 2, 3] }])
    apply(mapSet, shared, ['users', users])
    apply(mapSet, users, ['c', 1])
    const set = new taken.Set()
    apply(setAdd, set, [1])
    apply(mapSet, shared, ['set', set])
    apply(mapDelete, shared, ['set'])
    apply(mapGet, apply(mapGet, shared, ['users']), ['b']).deep[0]++
    const token = getToken({ uid: 'é', iat: 5 })
    say(socket, 'token ' + token + ' ' + parseToken(token).uid + ' ' + parseToken(token + 'x') + ' ' + parseToken(getToken('text', binary), binary))
    timers(socket)
    void update(socket)
    void useWeb(socket)
  }

  function timers(socket) {
    taken.setTimeout((a) => { say(socket, 'timeout ' + a) }, 1, 'x')
    taken.clearTimeout(taken.setTimeout(() => { say(socket, 'never') }, 1))
    taken.setImmediate(() => { say(socket, 'immediate') })
    taken.setTimeout(() => { throw thrown }, 1)
    const every = taken.setInterval(() => { taken.clearInterval(every); say(socket, 'interval') }, 1)
    nextTick(() => { say(socket, 'tick') })
  }
  const thrown = new Error('thrown by the tenant')

  async function update(socket) {
    const value = await shared.update('u', (before) => (before === undefined ? 1 : before))
    say(socket, 'updated ' + value)
  }

  exports.upgrade = async (ctx) => { await null; return ctx.query.token === 't' ? { protocol: 'v1', data: { since: 1 } } : { status: 401, headers: { 'x-a': 'b', 'x-list': ['c', 'd'] }, body: { no: 1 } } }
  exports.main = async (ctx) => {
    const { socket, method, params } = ctx
    if (method === 'WebSocket:connection') { say(socket, 'hello ' + ctx.headers['x-head']); return }
    if (method === 'WebSocket:error') { say(socket, 'failed ' + params.message); return }
    if (method === 'WebSocket:close') { sockets.send('closed ' + params.code + ' ' + read(params.reason)); return }
    // How it is told to mend what it has broken: by what cannot be broken.
    if (params.isBinary && params.data[0] === 255) {
      mend()
      say(socket, JSON.stringify({ calls: calls.slice(0, 20), times: calls.length }))
      calls = []
      return
    }
    if (params.isBinary) { apply(send, socket, [params.data, { binary: true }]); return }
    const words = read(params.data)
    if (words === 'use') { useAll(ctx); await null; say(socket, 'awaited'); return }
    if (words === 'throw') throw thrown
    if (words === 'reject') { await null; throw thrown }
    if (words === 'listen') { apply(on, socket, ['ping', (data) => { say(socket, 'pinged ' + read(data)) }]); apply(on, socket, ['message', (data) => { say(socket, 'heard ' + read(data)) }]); return }
    if (words === 'close') { apply(close, socket, [1000, 'reason']); return }
    const order = JSON.parse(words)
    if (order.list) { say(socket, JSON.stringify(owners.map(([object, name], index) => ({ name, keys: ownKeys(object).map((key) => labelOf(index, key)) })))); return }
    breakOwner(order.break, order.mode, order.kept)
  }
`

/** A function over HTTP. */
export const HTTP_FUNCTION = `
  const binary = new Uint8Array([1, 2, 3])
  module.exports = async (ctx) => {
    const { request, response, query, body } = ctx
    if (query.do === 'json') return { query, body, user: ctx.user, ip: request.ip, head: request.get('X-Head') }
    if (query.do === 'files') { const a = ctx.files[0], b = ctx.files[1]; return { query, body, files: [a.fieldname, a.originalname, a.mimetype, a.encoding, a.size, a.buffer[0], b.originalname] } }
    if (query.do === 'bytes') return binary
    if (query.do === 'text') { response.status(201).setHeader('X-A', ['a', 'b']).type('text/plain').cookie('n', 'v w', { path: '/p', httpOnly: true, maxAge: 1000 }); return 'text ' + body[0] }
    if (query.do === 'stream') { response.writeHead(200, { 'x-b': 'c' }); response.write('one '); await null; response.write(binary); response.end('two'); return }
    if (query.do === 'redirect') { response.redirect('/elsewhere'); return }
    throw query.do
  }
`

/** Around it. */
export const INTERCEPTOR = `
  module.exports = async (ctx, next) => {
    const result = await next(ctx)
    if (typeof result === 'object' && result.query) result.intercepted = true
    return result
  }
`
