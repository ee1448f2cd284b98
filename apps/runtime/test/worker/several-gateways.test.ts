import { ALL_GATEWAYS, encodeFrame, Flag, FrameType, Link, paddedLength, readU32 } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TURN_HEADER_BYTES } from '../../src/turn-layout.ts'
import { checkResult, ResultError, sendResult } from '../../src/worker/result.ts'
import { makeHarness, numbers, type FarEnd, type Harness, type TestApp } from './harness.ts'

/** Sockets of one app that are at several gateways, in the order in which they come: one here, one there. */
let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

const GATEWAYS = 3
const SOCKETS = 30

interface Message {
  text: string
  to: number[]
}

/** Connection n is at gateway n % GATEWAYS. A message `go` to connection 1 runs the code. */
async function startWith(code: string): Promise<TestApp> {
  const source = `const cloud = require('@lafjs/cloud').default; exports.main = async (ctx) => { if (ctx.method === 'WebSocket:message') { ${code} } }`
  const test = await harness.start(source, { gateways: GATEWAYS })
  for (let n = 1; n <= SOCKETS; n++) test.open(n, { gateway: n % GATEWAYS })
  test.event(FrameType.MESSAGE, 1, 'go', 0, 1 % GATEWAYS)
  return test
}

/** The messages that crossed a link, each with its receivers. */
function messages({ frames }: FarEnd): Message[] {
  return frames.flatMap(({ head, payload }) => {
    if (head.type === FrameType.SEND) return [{ text: payload.toString(), to: [head.connection] }]
    if (head.type !== FrameType.SEND_MANY) return []
    const length = readU32(payload, 0)
    const to: number[] = []
    for (let at = 4 + paddedLength(length); at < payload.byteLength; at += 4) to.push(readU32(payload, at))
    return [{ text: payload.toString('utf8', 4, 4 + length), to }]
  })
}

const at = (gateway: number): number[] => Array.from({ length: SOCKETS }, (_, index) => index + 1).filter((n) => n % GATEWAYS === gateway)

async function all(test: TestApp, perGateway: number): Promise<Message[][]> {
  await test.until(() => test.gateways.every((gateway) => messages(gateway).flatMap(({ to }) => to).length >= perGateway))
  return test.gateways.map(messages)
}

describe('a plain loop over sockets at several gateways', () => {
  it.each([
    ['a short text', `const data = 'hello'`, 'hello'],
    ['a text that is not ASCII', `const data = 'öäü €'`, 'öäü €'],
    ['short bytes', `const data = Buffer.from('bytes')`, 'bytes'],
    ['a long text', `const data = 'x'.repeat(50_001)`, 'x'.repeat(50_001)],
    ['long bytes', `const data = Buffer.alloc(50_001, 'y')`, 'y'.repeat(50_001)]
  ])('%s crosses each link once', async (_what, make, text) => {
    const test = await startWith(`${make}; cloud.sockets.forEach((socket) => socket.send(data))`)
    const sent = await all(test, SOCKETS / GATEWAYS)
    expect(sent).toEqual([0, 1, 2].map((gateway) => [{ text, to: at(gateway) }]))
    const bytes = test.gateways.flatMap(({ frames }) => frames).reduce((sum, { payload }) => sum + payload.byteLength, 0)
    expect(bytes).toBeLessThan(GATEWAYS * (Buffer.byteLength(text) + 100) + SOCKETS * 4)
    expect(test.downs).toEqual([])
  })

  it('also when it goes on after an await, and when the loop is run for each of many values', async () => {
    const test = await startWith(`
      let n = 0
      for (const socket of cloud.sockets) { socket.send('waits'); if (++n === 7) await null }
      for (let round = 0; round < 500; round++) for (const socket of cloud.sockets) socket.send('round ' + round)`)
    const sent = await all(test, (SOCKETS / GATEWAYS) * 501)
    for (const [gateway, list] of sent.entries()) {
      expect(list.map(({ text }) => text)).toEqual(['waits', ...Array.from({ length: 500 }, (_, round) => `round ${round}`)])
      expect(list.every(({ to }) => to.join() === at(gateway).join())).toBe(true)
    }
  })

  it('bytes that are changed on the way are sent as they were', async () => {
    const test = await startWith(`const data = Buffer.from('a'); for (const socket of cloud.sockets) { socket.send(data); data[0]++ }`)
    const sent = await all(test, SOCKETS / GATEWAYS)
    expect(sent.flat().toSorted((a, b) => a.to[0]! - b.to[0]!)).toEqual(Array.from({ length: SOCKETS }, (_, index) => ({ text: String.fromCharCode(97 + index), to: [index + 1] })))
  })

  it('what one connection is sent keeps its order, whatever is sent to others between', async () => {
    const test = await startWith(`
      const sockets = [...cloud.sockets]
      for (let n = 0; n < 300; n++) {
        const text = 'text ' + (n % 3)
        for (const socket of sockets) if ((n * 7 + sockets.indexOf(socket)) % 5) socket.send(text)
        if (n % 4 === 0) sockets[n % sockets.length].send(text)
        if (n % 50 === 0) sockets[n % 3].ping('x')
      }
      sockets.forEach((socket, index) => socket.send('log ' + index))`)
    // By the same rule, one send at a time.
    const expected = Array.from({ length: SOCKETS }, (): string[] => [])
    for (let n = 0; n < 300; n++) {
      for (let index = 0; index < SOCKETS; index++) if ((n * 7 + index) % 5) expected[index]!.push(`text ${n % 3}`)
      if (n % 4 === 0) expected[n % SOCKETS]!.push(`text ${n % 3}`)
    }
    expected.forEach((list, index) => list.push(`log ${index}`))
    await test.until(() => test.gateways.every((gateway, index) => messages(gateway).some(({ text }) => text === `log ${at(index).at(-1)! - 1}`)))
    for (let n = 1; n <= SOCKETS; n++) {
      const got = messages(test.gateways[n % GATEWAYS]!).flatMap(({ text, to }) => to.filter((one) => one === n).map(() => text))
      expect(got).toEqual(expected[n - 1])
    }
  })
})

describe('a forged message to several gateways', () => {
  const gateway = (sent: Buffer[]): Link => ({ send: (_head: unknown, payload: Uint8Array) => sent.push(Buffer.from(payload)) }) as unknown as Link

  /** Gives the payload to two gateways, as the result of a turn; what they got. */
  function give(payload: Buffer, flags = 0, external: unknown[] = []): Buffer[] {
    const frame = encodeFrame({ type: FrameType.SEND_MANY, flags, gateway: ALL_GATEWAYS, app: 0, generation: 0, connection: 0, sequence: 0 }, payload)
    const buffer = new ArrayBuffer(TURN_HEADER_BYTES + frame.byteLength)
    new Uint32Array(buffer)[0] = buffer.byteLength
    new Uint8Array(buffer).set(frame, TURN_HEADER_BYTES)
    const sent: Buffer[] = []
    sendResult(checkResult([buffer, ...external]), { nextChange: () => 1, app: 7, generation: 1, gateways: [gateway(sent), gateway(sent)], pool: gateway([]) })
    return sent
  }

  it('is taken as it should be', () => {
    expect(give(numbers(4, 99, 1, 5, 0, 6, 1, 7))).toEqual([numbers(4, 99, 6), numbers(4, 99, 5, 7)])
    expect(give(numbers(4, 0, 1, 5), Flag.EXTERNAL, ['text'])).toEqual([Buffer.concat([numbers(4), Buffer.from('text'), numbers(5)])])
  })

  it.each<[string, Buffer, number?]>([
    ['without a length', Buffer.alloc(0)],
    ['with a message that is longer than the frame', numbers(5, 0)],
    ['with a message of 4 GiB', numbers(0xffff_ffff, 0)],
    ['with half a pair', numbers(4, 99, 1)],
    ['for a gateway that does not exist', numbers(4, 99, 0, 1, 2, 1)],
    ['for all gateways once more', numbers(4, 99, ALL_GATEWAYS, 1)],
    ['without the message that it names', numbers(4, 7, 0, 1), Flag.EXTERNAL],
    ['that has no room for the name of its message', numbers(0), Flag.EXTERNAL]
  ])('%s: its isolate is given up', (_what, payload, flags = 0) => {
    expect(() => give(payload, flags)).toThrow(ResultError)
  })
})
