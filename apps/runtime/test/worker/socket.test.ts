import { Flag, FrameType, Listen, readU16 } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acknowledged, closed, framesOf, makeHarness, numbers, type Harness, type StartOptions, type TestApp } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

/** Runs `body` for each text message, with `socket`, `text` and `report`; what it reports comes back as a log line. */
async function start(body: string, options?: StartOptions): Promise<TestApp> {
  const test = await harness.start(
    `const WebSocket = require('ws')
    const report = (value) => console.log(JSON.stringify(value))
    const thrown = (run) => { try { run(); return 'nothing' } catch (error) { return error.name + ' ' + (error.code ?? '') + ' ' + error.message } }
    exports.main = async (ctx) => {
      const { socket } = ctx
      if (ctx.method === 'WebSocket:close') report('closed')
      if (ctx.method !== 'WebSocket:message') return
      const text = ctx.params.isBinary ? '' : ctx.params.data.toString()
      ${body}
    }`,
    options
  )
  test.open(1)
  return test
}

/** What was reported, once there is so much of it. */
async function reports(test: TestApp, count: number): Promise<unknown[]> {
  return test.until(() => test.logs().length >= count && test.logs().map(({ message }) => (/^["[{\dntf]/.test(message) ? JSON.parse(message) : message)))
}

async function once(body: string): Promise<unknown> {
  const test = await start(body)
  test.event(FrameType.MESSAGE, 1, 'go')
  return (await reports(test, 1))[0]
}

describe('what a socket is', () => {
  it('is an instance of the WebSocket of ws, with its constants on class and object, and no way to make another', async () => {
    expect(
      await once(`report([socket instanceof WebSocket, WebSocket.WebSocket === WebSocket, WebSocket.name, [WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED],
        [socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED], thrown(() => { WebSocket.OPEN = 7; 'use strict' }), WebSocket.OPEN,
        thrown(() => new WebSocket('ws://x')), thrown(() => new WebSocket.WebSocketServer({ port: 1 })), typeof WebSocket.createWebSocketStream, globalThis.WebSocket === WebSocket])`)
    ).toEqual([true, true, 'WebSocket', [0, 1, 2, 3], [0, 1, 2, 3], 'nothing', 1, expect.stringMatching(/^TypeError .*cannot open a WebSocket/), expect.stringMatching(/^TypeError .*cannot listen/), 'function', true])
  })

  it('knows its protocol, extensions and state; shows the members of ws in a loop', async () => {
    const test = await harness.start(`exports.main = ({ socket }) => {
      const names = []
      for (const name in socket) names.push(name)
      console.log(JSON.stringify([socket.protocol, socket.extensions, socket.url === undefined, socket.readyState, socket.bufferedAmount, socket.binaryType, socket.isPaused, ['onopen', 'onmessage', 'onclose', 'onerror', 'binaryType', 'bufferedAmount', 'isPaused', 'protocol', 'readyState', 'url', 'OPEN'].every((name) => names.includes(name))]))
    }`)
    test.open(1, { protocol: 'chat', extensions: 'permessage-deflate', paused: true })
    await test.until(() => test.logs().length === 1)
    expect(JSON.parse(test.logs()[0]!.message)).toEqual(['chat', 'permessage-deflate', true, 1, 0, 'nodebuffer', true, true])
  })

  it('tells the gateway of its binaryType when that changes, and has it from there in its next life, as it has that it is closing', async () => {
    const test = await harness.start(`exports.main = ({ socket, method, params }) => {
      if (method !== 'WebSocket:message') return
      console.log(JSON.stringify([socket.binaryType, socket.readyState, params.data.constructor.name]))
      for (const type of ['fragments', 'fragments', 'nothing', 'nodebuffer']) socket.binaryType = type
    }`)
    test.open(1, { type: FrameType.ATTACH, binaryType: 'arraybuffer', closing: true })
    test.open(2, { type: FrameType.ATTACH })
    for (const connection of [1, 2]) test.event(FrameType.MESSAGE, connection, Buffer.from('b'), Flag.BINARY)
    expect(await reports(test, 2)).toEqual([['arraybuffer', 2, 'ArrayBuffer'], ['nodebuffer', 1, 'Buffer']])
    await test.until(() => framesOf(test, FrameType.BINARY_TYPE).length === 4)
    expect(framesOf(test, FrameType.BINARY_TYPE).map(({ head }) => [head.connection, head.flags])).toEqual([[1, 2], [1, 0], [2, 2], [2, 0]])
  })
})

describe('send', () => {
  it('takes the data and options of ws', async () => {
    const test = await start(`
      for (const value of ['text', '', 12, 0, null, undefined, false, Buffer.from('buf'), new Uint16Array([0x4241]), new DataView(new ArrayBuffer(1)), new ArrayBuffer(2), [65, 66]]) socket.send(value)
      socket.send('as binary', { binary: true, compress: true, mask: true })
      socket.send(Buffer.from('as text'), { binary: false })
      socket.send('undefined is false', { binary: undefined })
      report([{}, true, Symbol.iterator, () => {}].map((value) => thrown(() => socket.send(value)).slice(0, 30)))`)
    test.event(FrameType.MESSAGE, 1, 'go')
    const refused = (await reports(test, 1))[0] as string[]
    for (const text of refused) expect(text).toMatch(/^TypeError ERR_INVALID_ARG_TYPE/)
    const sent = framesOf(test, FrameType.SEND).map(({ head, payload }) => [head.flags, payload.toString('latin1')])
    const B = Flag.BINARY
    expect(sent).toEqual([
      [0, 'text'], [0, ''], [0, '12'], [0, '0'], [B, ''], [B, 'buf'], [B, 'AB'], [B, '\0'], [B, '\0\0'], [B, 'AB'], [B, 'as binary'], [0, 'as text'], [0, 'undefined is false']
    ].flatMap((one) => (one[1] === '' && one[0] === B ? [] : [one])))
    // null, undefined and false are the same empty message three times in a row.
    expect(framesOf(test, FrameType.SEND_MANY).map(({ head }) => head.flags)).toEqual([B])
  })

  it('calls back when the gateway has written it, or with an error, and when the connection closes before', async () => {
    const test = await start(`
      for (const name of ['one', 'two', 'three', 'x'.repeat(2000)]) socket.send(name, (error) => report([name.slice(0, 5), error?.message, error?.code]))
      socket.ping('p', undefined, (error) => report(['ping', error?.message]))
      socket.send('no callback')`)
    test.event(FrameType.MESSAGE, 1, 'go')
    const told = await test.until((frames) => {
      const found = frames.filter(({ head }) => (head.flags & Flag.TELL) !== 0)
      return found.length === 5 && found
    })
    expect(told.map(({ head }) => head.type)).toEqual([FrameType.SEND, FrameType.SEND, FrameType.SEND, FrameType.SEND, FrameType.SEND_PING])
    expect(told[3]!.payload.byteLength).toBe(2000)
    const sequences = told.map(({ head }) => head.sequence)
    expect(new Set(sequences).size).toBe(5)
    test.event(FrameType.SENT, 1, numbers(sequences[1]!, sequences[3]!))
    test.event(FrameType.SENT, 1, numbers(sequences[0]!), Flag.FAILED)
    test.event(FrameType.SENT, 1, numbers(sequences[1]!, 4_000_000))
    const last = test.event(FrameType.CLOSED, 1, closed(1006))
    const gone = 'Cannot call write after a stream was destroyed'
    expect(await reports(test, 6)).toEqual([['two', null, null], ['xxxxx', null, null], ['one', gone, 'ERR_STREAM_DESTROYED'], ['three', gone, 'ERR_STREAM_DESTROYED'], ['ping', gone], 'closed'])
    // Only what the gateway keeps is acknowledged, on another link than what it reports, and a moment later.
    await test.until((frames) => acknowledged(frames).includes(last))
    expect(acknowledged(test.gateway.frames)).toEqual([1, 2, last])
  })

  it('after the close gives the callback the error of ws, and counts what it was given', async () => {
    expect(await once(`
      socket.close()
      socket.send('abc', (error) => report([error.message, socket.bufferedAmount, thrown(() => socket.send({})).slice(0, 9)]))`)).toEqual(['WebSocket is not open: readyState 2 (CLOSING)', 3, 'TypeError'])
  })

  it('a callback that throws is logged, and the next one is called', async () => {
    const test = await start(`socket.send('a', () => { throw new Error('mine') }); socket.send('b', () => report('second'))`)
    test.event(FrameType.MESSAGE, 1, 'go')
    const told = await test.until(() => framesOf(test, FrameType.SEND).length === 2 && framesOf(test, FrameType.SEND))
    test.event(FrameType.SENT, 1, numbers(...told.map(({ head }) => head.sequence)))
    expect(await reports(test, 2)).toEqual([expect.stringContaining('mine'), 'second'])
  })

  it('joins fragments into one message, of the kind of the first, and calls back for each part', async () => {
    const test = await start(`
      socket.send('hé', { fin: false }, () => socket.send(Buffer.from('llo '), { fin: false }, () => { socket.ping(); socket.send('world', { fin: true }) }))`)
    test.event(FrameType.MESSAGE, 1, 'go')
    await test.until(() => test.texts().length === 1)
    expect(test.texts()).toEqual(['héllo world'])
    expect(framesOf(test, FrameType.SEND)[0]!.head.flags).toBe(0)
    expect(framesOf(test, FrameType.SEND_PING)).toHaveLength(1)
  })

  it('with callbacks never joins the message before it', async () => {
    const test = await start(`for (let i = 0; i < 3; i++) socket.send('same', () => {}); socket.send('same'); socket.send('same')`)
    test.event(FrameType.MESSAGE, 1, 'go')
    await test.until(() => framesOf(test, FrameType.SEND_MANY).length === 1)
    expect(framesOf(test, FrameType.SEND).map(({ head }) => head.flags)).toEqual([Flag.TELL, Flag.TELL, Flag.TELL])
  })

  it('reads a Blob before it sends what came after it', async () => {
    const test = await start(`
      globalThis.Blob = class Blob { constructor(parts) { this.bytes = Buffer.concat(parts); this.size = this.bytes.length; this.type = '' } async arrayBuffer() { await null; return new Uint8Array(this.bytes).buffer } stream() {} get [Symbol.toStringTag]() { return 'Blob' } }
      socket.send(new Blob([Buffer.from('first')]), () => report('first'))
      socket.send('second'); socket.send(new Blob([Buffer.from('third')])); socket.ping('fourth'); socket.close(4000, 'fifth')
      report(socket.bufferedAmount)`)
    test.event(FrameType.MESSAGE, 1, 'go')
    const close = await test.until(() => framesOf(test, FrameType.CLOSE)[0])
    expect(test.gateway.frames.filter(({ head }) => head.type !== FrameType.ACK).map(({ head, payload }) => [head.type, payload.toString('latin1')])).toEqual([
      [FrameType.SEND, 'first'], [FrameType.SEND, 'second'], [FrameType.SEND, 'third'], [FrameType.SEND_PING, 'fourth'], [FrameType.CLOSE, close.payload.toString('latin1')]
    ])
    expect(test.logs()[0]!.message).toBe('5')
  })
})

describe('close, terminate, ping and pong', () => {
  it('make the checks of ws, and an invalid call changes nothing', async () => {
    const calls = {
      'close(999)': 'TypeError  First argument must be a valid error code number',
      'close("1000")': 'TypeError  First argument must be a valid error code number',
      'close(1005)': 'TypeError  First argument must be a valid error code number',
      'close(1000, "x".repeat(124))': 'RangeError  The message must not be greater than 123 bytes',
      'close(1000, "é".repeat(62))': 'RangeError  The message must not be greater than 123 bytes',
      'close(1000, new Uint16Array(2))': 'TypeError  Second argument must be a string or a Uint8Array',
      'close(1000, [1])': expect.stringMatching(/^TypeError ERR_INVALID_ARG_TYPE/),
      'ping("x".repeat(126))': 'RangeError  The data size must not be greater than 125 bytes',
      'pong(Buffer.alloc(126))': 'RangeError  The data size must not be greater than 125 bytes',
      'ping({})': expect.stringMatching(/^TypeError ERR_INVALID_ARG_TYPE/),
      'readyState': 'nothing'
    }
    expect(await once(`report([${Object.keys(calls).map((call) => `thrown(() => socket.${call})`).join()}, socket.readyState])`)).toEqual([...Object.values(calls), 1])
  })

  it('close sends code and reason once, and the state is CLOSING from then on', async () => {
    const test = await start(`socket.close(4001, 'böse'); socket.close(4002); report(socket.readyState); socket.terminate()`)
    test.event(FrameType.MESSAGE, 1, 'go')
    const [close] = await test.until(() => framesOf(test, FrameType.TERMINATE).length === 1 && framesOf(test, FrameType.CLOSE))
    expect([readU16(close!.payload, 0), close!.payload.toString('utf8', 2)]).toEqual([4001, 'böse'])
    expect(framesOf(test, FrameType.CLOSE)).toHaveLength(1)
    expect(await reports(test, 1)).toEqual([2])
  })

  it('ping and pong take numbers, texts, buffers and nothing', async () => {
    const test = await start(`socket.ping(); socket.ping(7); socket.pong('é'); socket.pong(Buffer.from([1, 2]), true); socket.ping(() => {})`)
    test.event(FrameType.MESSAGE, 1, 'go')
    const frames = await test.until((all) => {
      const found = all.filter(({ head }) => head.type === FrameType.SEND_PING || head.type === FrameType.SEND_PONG)
      return found.length === 5 && found
    })
    const [PING, PONG] = [FrameType.SEND_PING, FrameType.SEND_PONG]
    expect(frames.map(({ head, payload }) => [head.type, head.flags, payload.toString('hex')])).toEqual([[PING, 0, ''], [PING, 0, '37'], [PONG, 0, 'c3a9'], [PONG, 0, '0102'], [PING, Flag.TELL, '']])
  })
})

describe('pause, resume and bufferedAmount', () => {
  it('tell the gateway when something changes, and what a socket has sent counts until the turn is over', async () => {
    const test = await start(`
      if (text === 'pause') { socket.pause(); socket.pause(); report(socket.isPaused) }
      if (text === 'resume') { socket.resume(); socket.resume(); report(socket.isPaused) }
      if (text === 'send') { socket.send('12345'); socket.send(Buffer.alloc(5)); report(socket.bufferedAmount) }
      if (text === 'ask') report(socket.bufferedAmount)`)
    for (const text of ['pause', 'resume', 'send']) test.event(FrameType.MESSAGE, 1, text)
    expect(await reports(test, 3)).toEqual([true, false, 10])
    test.event(FrameType.MESSAGE, 1, 'ask')
    expect((await reports(test, 4))[3]).toBe(0)
    test.event(FrameType.BUFFERED, 1, numbers(70_000))
    test.event(FrameType.MESSAGE, 1, 'send')
    expect((await reports(test, 5))[4]).toBe(70_010)
    test.event(FrameType.BUFFERED, 1, numbers(0))
    test.event(FrameType.MESSAGE, 1, 'ask')
    expect((await reports(test, 6))[5]).toBe(0)
    expect([framesOf(test, FrameType.PAUSE).length, framesOf(test, FrameType.RESUME).length]).toEqual([1, 1])
  })
})

describe('listeners', () => {
  it('of the emitter get what those of ws get, after main', async () => {
    const test = await start(`
      if (text !== 'go') return
      socket.on('message', (data, isBinary) => report(['message', String(data), isBinary]))
      socket.once('message', () => report('once'))
      socket.prependListener('message', () => report('first'))
      socket.on('error', (error) => report(['error', error.code, socket.readyState]))
      socket.on('close', (code, reason) => report(['close', code, String(reason), Buffer.isBuffer(reason), socket.readyState]))
      report([socket.listenerCount('message'), socket.eventNames()])`)
    test.event(FrameType.MESSAGE, 1, 'go')
    test.event(FrameType.MESSAGE, 1, 'a')
    test.event(FrameType.MESSAGE, 1, Buffer.from('b'), Flag.BINARY)
    test.event(FrameType.ERROR, 1, JSON.stringify({ name: 'RangeError', message: 'm', code: 'WS_ERR_X' }))
    test.event(FrameType.CLOSED, 1, closed(1009, 'big'))
    expect(await reports(test, 9)).toEqual([
      [3, ['message', 'error', 'close']], 'first', ['message', 'a', false], 'once', 'first', ['message', 'b', true], ['error', 'WS_ERR_X', 2], 'closed', ['close', 1009, 'big', true, 3]
    ])
  })

  it('of the web get events, once, as objects, and by attribute', async () => {
    const test = await start(`
      if (text !== 'go') return
      const heard = (name) => (event) => report([name, event.type, event.target === socket, event.data ?? null])
      const same = heard('same')
      socket.addEventListener('message', same); socket.addEventListener('message', same)
      socket.addEventListener('message', heard('once'), { once: true })
      socket.addEventListener('message', { handleEvent(event) { report(['object', this.handleEvent !== undefined, event.data]) } })
      socket.onmessage = heard('replaced'); socket.onmessage = heard('attribute')
      socket.addEventListener('nothing', same)
      const removed = heard('removed')
      socket.addEventListener('message', removed); socket.removeEventListener('message', removed)
      socket.onclose = (event) => report([event.type, event.code, event.reason, event.wasClean])
      socket.onerror = (event) => report([event.type, event.message, event.error instanceof Error])
      report([typeof socket.onmessage, socket.onopen, socket.listenerCount('message')])
      socket.onopen = 7`)
    test.event(FrameType.MESSAGE, 1, 'go')
    test.event(FrameType.MESSAGE, 1, 'a')
    test.event(FrameType.MESSAGE, 1, Buffer.from('b'), Flag.BINARY)
    test.event(FrameType.ERROR, 1, JSON.stringify({ name: 'Error', message: 'm' }))
    test.event(FrameType.CLOSED, 1, closed(1006))
    const binary = { type: 'Buffer', data: [98] }
    expect(await reports(test, 11)).toEqual([
      ['function', null, 4], ['same', 'message', true, 'a'], ['once', 'message', true, 'a'], ['object', true, 'a'], ['attribute', 'message', true, 'a'],
      ['same', 'message', true, binary], ['object', true, binary], ['attribute', 'message', true, binary], ['error', 'm', true], 'closed', ['close', 1006, '', false]
    ])
  })

  // laf leaves such a socket half closed for ever, without a close event and in cloud.sockets.
  it('that throw are logged, and the socket goes on to its close event', async () => {
    const test = await start(`
      if (text !== 'go') return
      for (const name of ['message', 'error', 'close']) socket.on(name, () => { throw new Error('in ' + name) })
      socket.onclose = () => report('never')`)
    test.event(FrameType.MESSAGE, 1, 'go')
    test.event(FrameType.MESSAGE, 1, 'throw')
    test.event(FrameType.ERROR, 1, JSON.stringify({ name: 'Error', message: 'm' }))
    const last = test.event(FrameType.CLOSED, 1, closed(1000))
    expect((await reports(test, 4)).map((line) => String(line).split('\n')[0])).toEqual(['Error: in message', 'Error: in error', 'closed', 'Error: in close'])
    await test.until((frames) => acknowledged(frames).includes(last))
  })

  it('of pings and pongs are told to the gateway, when the first comes and the last goes, in every way', async () => {
    const test = await start(`
      const heard = (data) => report([text, String(data), Buffer.isBuffer(data)])
      if (text === 'add') { socket.on('ping', heard); socket.prependListener('ping', heard); socket.once('pong', heard) }
      if (text === 'remove') { socket.off('ping', socket.listeners('ping')[0]); socket.removeAllListeners() }`)
    test.event(FrameType.MESSAGE, 1, 'add')
    await test.until(() => framesOf(test, FrameType.LISTEN).length === 2)
    test.event(FrameType.PING, 1, 'a')
    test.event(FrameType.PONG, 1, 'b')
    expect(await reports(test, 3)).toEqual([['add', 'a', true], ['add', 'a', true], ['add', 'b', true]])
    test.event(FrameType.MESSAGE, 1, 'remove')
    await test.until(() => framesOf(test, FrameType.LISTEN).length === 4)
    expect(framesOf(test, FrameType.LISTEN).map(({ head }) => head.flags)).toEqual([Listen.PING, Listen.PING | Listen.PONG, Listen.PING, 0])
    // The isolate may be another one than the one that asked: it has no listeners, and says so.
    test.event(FrameType.PING, 1, 'late')
    await test.until(() => framesOf(test, FrameType.LISTEN).length === 5)
    expect(acknowledged(test.gateway.frames)).toEqual([1, 2, 5])
  })
})

describe('binaryType', () => {
  it('has the four values of ws, whatever functions make of Blob', async () => {
    const test = await start(`
      if (text) {
        if (text === 'blob') delete globalThis.Blob
        socket.binaryType = text
        report(socket.binaryType)
        return
      }
      const { data } = ctx.params
      report([Buffer.isBuffer(data) ? 'Buffer' : data.constructor.name, Buffer.isBuffer(data[0]), data.byteLength ?? data.length ?? data.size])`)
    for (const type of ['blob?', 'arraybuffer', 'fragments', 'nodebuffer', 'blob']) {
      test.event(FrameType.MESSAGE, 1, type)
      test.event(FrameType.MESSAGE, 1, Buffer.from('abc'), Flag.BINARY)
    }
    expect(await reports(test, 10)).toEqual(['nodebuffer', ['Buffer', false, 3], 'arraybuffer', ['ArrayBuffer', false, 3], 'fragments', ['Array', true, 1], 'nodebuffer', ['Buffer', false, 3], 'blob', ['Blob', false, 3]])
  })
})
