import { Flag, FrameType } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acknowledged, closed, framesOf, makeHarness, numbers, type Harness, type TestApp } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

/** Plays the gateway that has written everything at once. */
async function confirm(test: TestApp, done: () => boolean): Promise<void> {
  let told = 0
  await test.until((frames) => {
    const waiting = frames.filter(({ head }) => (head.flags & Flag.TELL) !== 0)
    for (; told < waiting.length; told++) test.event(FrameType.SENT, waiting[told]!.head.connection, numbers(waiting[told]!.head.sequence))
    return done()
  })
}

describe('createWebSocketStream', () => {
  it('reads messages and writes messages, pauses a socket that is not read, and ends both ways', async () => {
    const test = await harness.start(
      `const { createWebSocketStream } = require('ws')
      const { Duplex, Transform, pipeline } = require('node:stream')
      exports.main = ({ socket, method }) => {
        if (method !== 'WebSocket:connection') return
        const stream = createWebSocketStream(socket, { encoding: 'utf8' })
        for (const name of ['end', 'finish', 'close', 'error']) stream.on(name, (error) => console.log(name + (error ? ' ' + error.message : '')))
        console.log(String(stream instanceof Duplex))
        pipeline(stream, new Transform({ decodeStrings: false, transform(chunk, _, done) { done(null, String(chunk).toUpperCase()) } }), stream, () => {})
      }`,
      { modules: true }
    )
    test.open(1)
    for (const text of ['one', 'two']) test.event(FrameType.MESSAGE, 1, text)
    await confirm(test, () => test.texts().length === 2)
    expect(test.texts()).toEqual(['ONE', 'TWO'])
    const last = test.event(FrameType.CLOSED, 1, closed(1000))
    await test.until((frames) => acknowledged(frames).includes(last) && test.logs().length >= 4)
    expect(test.logs().map(({ message }) => message)).toEqual(['true', 'end', 'finish', 'close'])
  })

  it('holds the client back while nobody reads, and goes on when somebody does', async () => {
    const test = await harness.start(
      `const { createWebSocketStream } = require('ws')
      let stream
      exports.main = ({ socket, method, params }) => {
        if (method === 'WebSocket:connection') stream = createWebSocketStream(socket, { readableHighWaterMark: 10 })
        if (String(params?.data) === 'read') stream.on('data', (data) => console.log(String(data)))
      }`,
      { modules: true }
    )
    test.open(1)
    test.event(FrameType.MESSAGE, 1, 'x'.repeat(20))
    await test.until(() => framesOf(test, FrameType.PAUSE).length === 1)
    test.event(FrameType.MESSAGE, 1, 'read')
    await test.until(() => framesOf(test, FrameType.RESUME).length === 1 && test.logs().length === 2)
  })

  it('closes the socket when it ends, and cuts it when it is destroyed', async () => {
    const test = await harness.start(
      `const { createWebSocketStream } = require('ws')
      exports.main = ({ socket, method, params }) => {
        if (method === 'WebSocket:message') createWebSocketStream(socket)[String(params.data)]('last words')
      }`,
      { modules: true }
    )
    test.open(1)
    test.open(2)
    test.event(FrameType.MESSAGE, 1, 'end')
    await confirm(test, () => framesOf(test, FrameType.CLOSE).length === 1)
    expect(framesOf(test, FrameType.SEND)[0]).toMatchObject({ head: { flags: Flag.BINARY | Flag.TELL }, payload: Buffer.from('last words') })
    test.event(FrameType.MESSAGE, 2, 'destroy')
    await test.until(() => framesOf(test, FrameType.TERMINATE).length === 1)
  })

  // It is closing already, with a close frame of the gateway's that a cut would lose.
  it('is destroyed by an error of its socket, which it does not cut, and closes with it', async () => {
    const test = await harness.start(
      `const { createWebSocketStream } = require('ws')
      exports.main = ({ socket, method, params }) => {
        if (method !== 'WebSocket:connection') return
        const stream = createWebSocketStream(socket)
        if (socket.id === 'id-1') stream.on('error', (error) => console.log('heard ' + error.message))
        stream.on('close', () => console.log('closed ' + stream.destroyed))
      }`,
      { modules: true }
    )
    for (const connection of [1, 2]) {
      const logged = test.logs().length
      test.open(connection)
      test.event(FrameType.ERROR, connection, JSON.stringify({ name: 'RangeError', message: 'bad frame', code: 'WS_ERR' }))
      const last = test.event(FrameType.CLOSED, connection, closed(1002))
      await test.until((frames) => acknowledged(frames).includes(last) && test.logs().length >= logged + 2)
    }
    const logs = test.logs().map(({ message }) => message)
    expect(logs.slice(0, 2)).toEqual(['heard bad frame', 'closed true'])
    // Nobody listened: it is not swallowed.
    expect(logs.slice(2).toSorted()).toEqual([expect.stringMatching(/Uncaught.*bad frame/), 'closed true'])
    expect(framesOf(test, FrameType.TERMINATE)).toEqual([])
  })

  it('gives texts as strings in the object mode of a reader, bytes as Buffers, and is over only when the socket is', async () => {
    const test = await harness.start(
      `const { createWebSocketStream } = require('ws')
      exports.main = ({ socket, method, params }) => {
        if (method !== 'WebSocket:connection') return
        const stream = createWebSocketStream(socket, { readableObjectMode: true })
        stream.on('data', (data) => console.log(typeof data + ' ' + String(data)))
        for (const name of ['finish', 'end', 'close']) stream.on(name, () => console.log(name + ' ' + socket.readyState))
        stream.end()
      }`,
      { modules: true }
    )
    test.open(1)
    test.event(FrameType.MESSAGE, 1, 'text')
    await test.until(() => test.logs().length === 1)
    const last = test.event(FrameType.MESSAGE, 1, 'bytes', Flag.BINARY)
    await test.until((frames) => acknowledged(frames).includes(last) && test.logs().length >= 2)
    expect(test.logs().map(({ message }) => message)).toEqual(['string text', 'object bytes'])
    test.event(FrameType.CLOSED, 1, closed(1000))
    await test.until(() => test.logs().length === 5)
    expect(test.logs().slice(2).map(({ message }) => message).toSorted()).toEqual(['close 3', 'end 3', 'finish 3'])
  })

  it('is in a module that has all names of ws', async () => {
    const test = await harness.start(`
      const WebSocket = require('ws')
      const { Server, WebSocketServer } = WebSocket
      exports.main = () => {
        const thrown = [Server, WebSocketServer].map((Class) => { try { new Class({ port: 1 }); return '' } catch (error) { return error.name } })
        console.log(JSON.stringify([WebSocket.default === WebSocket, WebSocket.WebSocket === WebSocket, Server === WebSocketServer, typeof WebSocket.createWebSocketStream, thrown]))
      }`)
    test.open(1)
    await test.until(() => test.logs().length === 1)
    expect(JSON.parse(test.logs()[0]!.message)).toEqual([true, true, true, 'function', ['TypeError', 'TypeError']])
  })

  it('is refused with a clear error for what is no socket, and where the module did not come along', async () => {
    const test = await harness.start(`
      const { createWebSocketStream } = require('ws')
      exports.main = ({ socket }) => { for (const value of [socket, {}]) try { createWebSocketStream(value) } catch (error) { console.log(error.message) } }`)
    test.open(1)
    await test.until(() => test.logs().length === 2)
    expect(test.logs().map(({ message }) => message)).toEqual([expect.stringContaining("needs the module 'stream'"), expect.stringContaining('takes a socket')])
  })
})

describe('the module stream', () => {
  it('is one for all names, on the emitter and Buffer of the guest', async () => {
    const test = await harness.start(
      `const stream = require('stream')
      exports.main = async ({ socket }) => {
        const { Readable } = stream
        const chunks = []
        for await (const chunk of Readable.from(['a', Buffer.from('b')])) chunks.push(String(chunk))
        await require('stream/promises').finished(Readable.from([]).resume())
        console.log(JSON.stringify([stream === require('node:stream'), typeof stream.promises.pipeline, new Readable() instanceof require('events'), new Readable() instanceof stream, chunks]))
      }`,
      { modules: true }
    )
    test.open(1)
    await test.until(() => test.logs().length === 1)
    expect(JSON.parse(test.logs()[0]!.message)).toEqual([true, 'function', true, true, ['a', 'b']])
  })
})
