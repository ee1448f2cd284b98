import { FrameType } from '@socklet/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeHarness, type Harness } from './harness.ts'

let harness: Harness
beforeAll(async () => (harness = await makeHarness()))
afterAll(() => harness.close())

/** More than goes into an isolate as a string alone. */
const FILLERS = Array.from({ length: 5 }, (_, index) => `${index}`.repeat(900))

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
