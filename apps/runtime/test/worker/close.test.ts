import { Flag, FrameType, readU16 } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acknowledged, framesOf, makeHarness, type Harness, type TestApp } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

/** Evaluates each text message with `socket` in reach; logs what it throws. */
const CODE = `exports.main = ({ socket, method, params }) => {
  if (method !== 'WebSocket:message') return
  try { new Function('socket', String(params.data))(socket) } catch (error) { console.log(error.name + ' ' + error.message) }
}`

async function run(...bodies: string[]): Promise<TestApp> {
  const test = await harness.start(CODE)
  let last = 0
  for (const [index, body] of bodies.entries()) {
    test.open(index + 1)
    last = test.event(FrameType.MESSAGE, index + 1, body)
  }
  await test.until((frames) => acknowledged(frames).includes(last))
  return test
}

const CODE_ERROR = 'TypeError First argument must be a valid error code number'

describe('close', () => {
  // RFC 6455, 7.4.1 and 7.4.2, by the table of ws (lib/validation.js, isValidStatusCode).
  it('sends the codes that may be sent, and refuses all others', async () => {
    const allowed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
    const refused = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_536, -1000]
    const test = await run(...[...allowed, ...refused].map((code) => `socket.close(${code})`))
    await test.until(() => test.logs().length === refused.length)
    expect(framesOf(test, FrameType.CLOSE).map(({ payload }) => readU16(payload, 0))).toEqual(allowed)
    expect(test.logs().map(({ message }) => message)).toEqual(refused.map(() => CODE_ERROR))
  })

  it.each(['"1000"', 'null', '{}', 'NaN'])('refuses %s as a code', async (code) => {
    const test = await run(`socket.close(${code})`)
    await test.until(() => test.logs().length === 1)
    expect(test.logs()[0]!.message).toBe(CODE_ERROR)
    expect(framesOf(test, FrameType.CLOSE)).toEqual([])
  })

  it('sends a reason of 123 bytes, as text or bytes, and refuses a longer one and what is neither', async () => {
    const test = await run(
      `socket.close(1000, 'x'.repeat(123))`,
      `socket.close(1000, '€'.repeat(41))`,
      `socket.close(1000, Buffer.alloc(123, 'y'))`,
      `socket.close(1000, '')`,
      `socket.close(1000, undefined)`,
      `socket.close(1000, 'x'.repeat(124))`,
      `socket.close(1000, '€'.repeat(41) + 'x')`,
      `socket.close(1000, Buffer.alloc(124))`
    )
    await test.until(() => test.logs().length === 3)
    expect(framesOf(test, FrameType.CLOSE).map(({ payload }) => payload.toString('utf8', 2))).toEqual(['x'.repeat(123), '€'.repeat(41), 'y'.repeat(123), '', ''])
    expect(test.logs().map(({ message }) => message)).toEqual(Array.from({ length: 3 }, () => 'RangeError The message must not be greater than 123 bytes'))
  })

  // A Blob is read before it is sent, and what comes after waits for it: the close as well, with a code or without.
  it.each(['', '1000'])('(%s) goes behind what was sent before and is not read yet', async (code) => {
    const test = await run(`socket.send(new Blob(['first'])); socket.close(${code})`)
    await test.until(() => framesOf(test, FrameType.CLOSE).length === 1)
    const order = test.gateway.frames.filter(({ head }) => head.type === FrameType.SEND || head.type === FrameType.CLOSE)
    expect(order.map(({ head }) => head.type)).toEqual([FrameType.SEND, FrameType.CLOSE])
    expect(order[0]!.head.flags & Flag.BINARY).toBe(Flag.BINARY)
  })
})
