import { Flag, FrameType } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acknowledged, closed, makeHarness, numbers, type Harness, type TestApp } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

const CODE = `exports.main = ({ socket, method, params }) => {
  if (method === 'WebSocket:message') new Function('socket', String(params.data))(socket)
}`

async function after(test: TestApp, sequence: number): Promise<void> {
  await test.until((frames) => acknowledged(frames).includes(sequence))
}

const told = (test: TestApp): number[] => test.gateway.frames.filter(({ head }) => (head.flags & Flag.TELL) !== 0).map(({ head }) => head.sequence)

/** What holds an isolate has to let go of it: else the app never sleeps. */
describe('an app sleeps', () => {
  it('not while a callback of a send waits, and again when all were called', async () => {
    const test = await harness.start(CODE)
    test.open(1)
    await after(test, test.event(FrameType.MESSAGE, 1, `socket.send('a', () => {}); socket.send('b', () => {})`))
    const [first, second] = await test.until(() => told(test).length === 2 && told(test))
    expect(await test.app.putAway(false)).toBe(false)
    test.event(FrameType.SENT, 1, numbers(first!))
    await after(test, test.event(FrameType.MESSAGE, 1, ''))
    expect(await test.app.putAway(false)).toBe(false)
    test.event(FrameType.SENT, 1, numbers(second!), Flag.FAILED)
    await after(test, test.event(FrameType.MESSAGE, 1, ''))
    expect(await test.app.putAway(false)).toBe(true)
  })

  it.each([
    ['set a timer', `setTimeout(() => socket.send('later'), 20)`],
    ['not ended', `return new Promise((resolve) => setTimeout(() => resolve(socket.send('later')), 20))`]
  ])('not when it has %s in the very turn in which it was to be put away', async (_name, code) => {
    const test = await harness.start(`exports.main = ({ socket, method, params }) => { if (method === 'WebSocket:message') return new Function('socket', String(params.data))(socket) }`)
    await after(test, test.open(1))
    const isAway = test.app.putAway(false)
    // It was idle when it was asked.
    const sequence = test.event(FrameType.MESSAGE, 1, code)
    expect(await isAway).toBe(false)
    await after(test, sequence)
    expect(await test.until(() => test.texts().length > 0 && test.texts())).toEqual(['later'])
    expect(await test.app.putAway(false)).toBe(true)
  })

  it('when the connection has closed whose callbacks waited, each of which is called once', async () => {
    const test = await harness.start(CODE)
    test.open(1)
    test.open(2)
    await after(test, test.event(FrameType.MESSAGE, 1, `for (const name of ['a', 'b']) socket.send(name, (error) => console.log(name + ' ' + error.code))`))
    const sequences = await test.until(() => told(test).length === 2 && told(test))
    expect(await test.app.putAway(false)).toBe(false)
    test.event(FrameType.CLOSED, 1, closed(1006))
    test.event(FrameType.SENT, 1, numbers(...sequences))
    await after(test, test.event(FrameType.MESSAGE, 2, ''))
    expect(test.logs().map(({ message }) => message)).toEqual(['a ERR_STREAM_DESTROYED', 'b ERR_STREAM_DESTROYED'])
    expect(await test.app.putAway(false)).toBe(true)
  })

  it('when a send failed at once, and its callback comes after the code that sent', async () => {
    const test = await harness.start(CODE)
    test.open(1)
    await after(test, test.event(FrameType.MESSAGE, 1, `socket.close(); socket.send('late', (error) => console.log('called ' + error.message)); console.log('sent')`))
    await test.until(() => test.logs().length === 2)
    expect(test.logs().map(({ message }) => message)).toEqual(['sent', 'called WebSocket is not open: readyState 2 (CLOSING)'])
    expect(await test.app.putAway(false)).toBe(true)
  })
})
