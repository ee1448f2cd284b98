import { Flag, FrameType, NO_ROOM } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acknowledged, makeHarness, numbers, type Harness } from './harness.ts'

let harness: Harness
beforeAll(async () => (harness = await makeHarness()))
afterAll(() => harness.close())

/** More than goes into an isolate as a string alone. */
const FILLERS = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(900))

it.each([['in a small turn', []], ['in a large one', FILLERS]])('a text that is sent as it came is that text, whatever its length: %s', async (_name, before) => {
  const test = await harness.start(`exports.main = ({ params, socket }) => { if (params) socket.send(params.data.toString()) }`)
  test.open(1)
  const all: string[] = []
  for (let length = 0; length < 20; length++) {
    const texts = [...before, 'abcdefghijklmnopqrst'.slice(0, length), 'ä'.repeat(length + 1)]
    for (const text of texts) test.event(FrameType.MESSAGE, 1, text)
    all.push(...texts)
    await test.until(() => test.texts().length === all.length)
  }
  expect(test.texts()).toEqual(all)
})

it('what was asked for is sent as it was then, also when the bytes were changed since, behind another text of its length, and to a room', async () => {
  const test = await harness.start(`
    const cloud = require('@lafjs/cloud').default
    exports.main = ({ params, socket }) => {
      if (!params) return
      const text = params.data.toString()
      params.data.fill('x')
      socket.send('y'.repeat(text.length))
      socket.send(text)
      cloud.sockets.send(text)
      socket.send(params.data.toString())
    }`)
  test.open(1)
  test.event(FrameType.MESSAGE, 1, 'as it came')
  const sends = await test.until((frames) => {
    const found = frames.filter(({ head }) => head.type === FrameType.SEND || head.type === FrameType.SEND_ROOM)
    return found.length === 4 && found
  })
  expect(sends.map(({ payload }) => payload.toString().slice(-10))).toEqual(['yyyyyyyyyy', 'as it came', 'as it came', 'xxxxxxxxxx'])
})

it('a message that is kept has its own text in later turns, what was made of its bytes too', async () => {
  const test = await harness.start(`
    let kept
    exports.main = ({ params, socket }) => {
      if (!params) return
      if (params.data.toString() === 'opened') socket.send('opened')
      else if (kept === undefined) {
        kept = params.data
        socket.send(kept.toString())
        kept.fill('b')
      } else socket.send(params.data.toString() + ' ' + kept.toString())
    }`)
  test.open(1)
  // In the place of the second, each in a turn of its own, there is what it was changed to.
  for (const [index, text] of ['opened', 'aaaa', 'bbbb', 'cccc'].entries()) {
    test.event(FrameType.MESSAGE, 1, text)
    await test.until(() => test.texts().length === index + 1)
  }
  expect(test.texts()).toEqual(['opened', 'aaaa', 'bbbb bbbb', 'cccc bbbb'])
})

it('a function that looks behind its message finds nothing that this memory held before', async () => {
  const test = await harness.start(`exports.main = ({ params, socket }) => {
    if (!params) return
    const { buffer, byteOffset, length } = params.data
    socket.send(JSON.stringify([...new Uint8Array(buffer, byteOffset + length)]))
  }`)
  test.open(1)
  for (const text of ['opened', 'secret'.repeat(10), 'a', 'ab', 'abc', 'abcd']) {
    const count = test.texts().length
    test.event(FrameType.MESSAGE, 1, text)
    await test.until(() => test.texts().length > count)
  }
  expect(test.texts()).toEqual([expect.any(String), '[]', '[0,0,0]', '[0,0]', '[0]', '[]'])
})

/** Long enough to leave the isolate by where it stands in what has come. */
const LONG = [1023, 1024, 1025, 1500, 4096, 20_000].map((length) => 'abcdefghijk'.repeat(2_000).slice(0, length))

describe('a long text that is sent as it came is that text', () => {
  it.each([['alone', []], ['beside others', FILLERS], ['beside one that is not ASCII', ['ü'.repeat(2_000)]]])('%s', async (_name, before) => {
    const test = await harness.start(`exports.main = ({ params, socket }) => { if (params) socket.send(params.data.toString()) }`)
    test.open(1)
    const all: string[] = []
    for (const text of LONG) {
      const texts = [...before, text, `${text}ö`]
      for (const one of texts) test.event(FrameType.MESSAGE, 1, one)
      all.push(...texts)
      await test.until(() => test.texts().length === all.length)
    }
    expect(test.texts()).toEqual(all)
  })

  it('to several connections at two gateways, and to a room', async () => {
    const test = await harness.start(
      `
      const cloud = require('@lafjs/cloud').default
      exports.main = ({ params, socket }) => {
        if (!params) return void socket.join('all')
        const text = params.data.toString()
        for (const one of cloud.sockets) one.send(text)
        cloud.sockets.in('all').send(text)
      }`,
      { gateways: 2 }
    )
    const text = LONG[3]!
    test.open(1)
    test.open(2)
    test.open(3, { gateway: 1 })
    test.event(FrameType.MESSAGE, 1, text)
    await test.until(() => test.gateways.every(({ frames }) => frames.some(({ head }) => head.type === FrameType.SEND_ROOM)))
    const message = Buffer.from(text)
    for (const [index, receivers] of [[1, 2], [3]].entries()) {
      const many = test.gateways[index]!.frames.filter(({ head }) => head.type === FrameType.SEND_MANY)
      expect(many.map(({ payload }) => payload)).toEqual([Buffer.concat([numbers(message.length), message, numbers(...receivers)])])
      const room = test.gateways[index]!.frames.find(({ head }) => head.type === FrameType.SEND_ROOM)!
      expect(room.payload.subarray(-message.length)).toEqual(message)
    }
  })

  it('when the turn is asked for again, since a rejection took the place of its result, once and in its order', async () => {
    const test = await harness.start(`
      const cloud = require('@lafjs/cloud').default
      exports.main = ({ params, socket }) => {
        if (!params) return
        const text = params.data.toString()
        socket.send('before')
        for (const one of cloud.sockets) one.send(text)
        cloud.sockets.send(text)
        socket.send(text)
        if (text.length === 1024) Promise.reject(new Error('lost'))
      }`)
    test.open(1)
    test.open(2)
    const texts = [LONG[1]!, LONG[2]!]
    for (const text of texts) test.event(FrameType.MESSAGE, 1, text)
    await test.until((frames) => frames.filter(({ head }) => head.type === FrameType.SEND).length === 4)
    const expected = texts.flatMap((text) => {
      const message = Buffer.from(text)
      return [Buffer.from('before'), Buffer.concat([numbers(message.length), Buffer.alloc(text.length + 3 & ~3, message).fill(0, text.length), numbers(1, 2)]), Buffer.concat([numbers(NO_ROOM, 0), message]), message]
    })
    const sends: number[] = [FrameType.SEND, FrameType.SEND_MANY, FrameType.SEND_ROOM]
    const payloads = test.gateway.frames.filter(({ head }) => sends.includes(head.type)).map(({ payload }) => payload)
    expect(payloads.map((payload) => payload.length)).toEqual(expected.map((payload) => payload.length))
    expect(payloads).toEqual(expected)
    expect(test.logs().some(({ message }) => message.includes('lost'))).toBe(true)
  })

  it('also in a later turn, when the message is gone, and behind a change of cloud.shared that is stored late', async () => {
    const test = await harness.start(
      `
      const cloud = require('@lafjs/cloud').default
      let kept
      exports.main = async ({ params, socket }) => {
        if (!params) return
        const text = params.data.toString()
        if (text === 'go on') {
          cloud.shared.set('changed', 1)
          return void socket.send(kept.toString())
        }
        kept = params.data
        socket.send(text)
        await new Promise((resolve) => setTimeout(resolve, 1))
        socket.send(text)
        cloud.shared.set('changed', text.length)
        socket.send('')
        socket.send(kept.toString())
      }`,
      { holdsChanges: true }
    )
    test.open(1)
    test.event(FrameType.MESSAGE, 1, LONG[1]!)
    await test.until(() => test.texts().length >= 1)
    const stored = setInterval(() => test.store(), 5)
    await test.until(() => test.texts().length === 4)
    test.event(FrameType.MESSAGE, 1, 'go on')
    await test.until(() => test.texts().length === 5)
    clearInterval(stored)
    expect(test.texts()).toEqual([LONG[1], LONG[1], '', LONG[1], LONG[1]])
  })
})

describe('a long text that is sent as it came does not travel', () => {
  const RELAY = `
    const cloud = require('@lafjs/cloud').default
    exports.main = ({ params, socket }) => {
      if (!params) return
      const text = params.data.toString()
      if (text.startsWith('all')) for (const one of cloud.sockets) one.send(text)
      else if (text.startsWith('told')) socket.send(text, () => socket.send('told'))
      else if (text.startsWith('other')) cloud.sockets.get('id-1-9').send(text)
      else socket.send(text)
    }`

  it.each([
    ['back', 'back'],
    ['to all that are connected to its gateway', 'all'],
    ['back, when a callback wants to know of it', 'told']
  ])('%s', async (_name, what) => {
    const test = await harness.start(RELAY)
    for (const connection of [1, 2, 3]) test.open(connection)
    const text = what.padEnd(5_000, '.')
    test.event(FrameType.MESSAGE, 1, 'small')
    test.event(FrameType.MESSAGE, 2, text)
    const [message] = await test.until((frames) => {
      const found = frames.filter(({ payload }) => payload.length >= 5_000)
      return found.length > 0 && found
    })
    expect(test.kept.named).toBe(1)
    const bytes = Buffer.from(text)
    if (what === 'all') expect(message).toMatchObject({ head: { type: FrameType.SEND_MANY, flags: 0 }, payload: Buffer.concat([numbers(bytes.length), bytes, numbers(1, 2, 3)]) })
    else expect(message).toMatchObject({ head: { type: FrameType.SEND, connection: 2, flags: what === 'told' ? Flag.TELL : 0 }, payload: bytes })
  })

  it('also where it waits until a change of cloud.shared is stored', async () => {
    const test = await harness.start(
      `
      const cloud = require('@lafjs/cloud').default
      exports.main = ({ params, socket }) => {
        if (!params) return
        cloud.shared.set('changed', params.data.length)
        socket.send(params.data.toString())
      }`,
      { holdsChanges: true }
    )
    test.open(1)
    test.event(FrameType.MESSAGE, 1, LONG[4]!)
    const stored = setInterval(() => test.store(), 5)
    await test.until(() => test.texts().length === 1)
    clearInterval(stored)
    expect([test.texts(), test.kept.named]).toEqual([[LONG[4]], 1])
  })

  // Its gateway has forgotten it by then.
  it('but goes as it is behind the acknowledgement of its event, where that stands among the commands', async () => {
    const test = await harness.start(`
      let kept
      exports.main = ({ params, socket }) => {
        if (!params) return
        if (params.isBinary) return params.data[0] % 2 === 0 ? undefined : new Promise(() => {})
        if (params.data.length > 100) kept = params.data.toString()
        else socket.send(kept)
      }`)
    test.open(1)
    const events = Array.from({ length: 41 }, (_, index) => test.event(FrameType.MESSAGE, 1, Buffer.of(index), Flag.BINARY))
    const settled = test.event(FrameType.MESSAGE, 1, LONG[4]!)
    test.event(FrameType.MESSAGE, 1, 'go on')
    await test.until(() => test.texts().length === 1)
    expect([test.texts(), test.kept.named]).toEqual([[LONG[4]], 0])
    // That it was so: more had settled apart from each other than there is room for beside the commands.
    await test.until((frames) => acknowledged(frames).length >= events.length / 2)
    const frames = test.gateway.frames
    expect(frames.findIndex(({ head, payload }) => head.type === FrameType.ACK && acknowledged([{ head, payload }]).includes(settled))).toBeLessThan(frames.findIndex(({ head }) => head.type === FrameType.SEND))
  })

  it('but goes as it is to a gateway that does not have it', async () => {
    const test = await harness.start(RELAY, { gateways: 2 })
    test.open(1)
    test.open(9, { gateway: 1 })
    const text = 'other'.padEnd(5_000, '.')
    test.event(FrameType.MESSAGE, 1, text)
    await test.until(() => test.gateways[1]!.frames.some(({ head }) => head.type === FrameType.SEND))
    expect(test.gateways[1]!.frames.find(({ head }) => head.type === FrameType.SEND)!.payload.toString()).toBe(text)
    expect(test.kept.named).toBe(0)
  })
})

it('what has come and gone does not count as heap until it is all of it', async () => {
  const test = await harness.start(`let bytes = 0; exports.main = ({ params, socket }) => { if (params) { bytes += params.data.toString().length; if (bytes % 65536 === 0) socket.send('taken') } }`)
  test.open(1)
  let most = 0
  for (let turn = 1; turn <= 600; turn++) {
    for (let n = 0; n < 16; n++) test.event(FrameType.MESSAGE, 1, 'x'.repeat(4_096))
    await test.until(() => test.texts().length === turn)
    if (turn % 25 === 0) most = Math.max(most, (await test.app.stats()).heapBytes)
  }
  expect(most).toBeLessThan(20 * 1024 * 1024)
})
