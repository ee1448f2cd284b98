import { Flag, FrameType, readU32, type RequestHead, type ResponseHead } from '@socklet/protocol'
import { openPayload, type TestApp } from './harness.ts'

export interface HttpAnswer extends ResponseHead {
  body: string
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies are what a test expects them to be
  json: any
}

/** What a request brings besides the function's name. */
export type Asked = Partial<RequestHead> & { body?: string | Uint8Array; flags?: number }

/** A request of a client, as its gateway sends it. Returns the sequence of the event. */
export function request(test: TestApp, number: number, name: string, { body = '', flags = 0, ...head }: Asked = {}): number {
  const whole: RequestHead = { requestId: `r-${number}`, function: name, method: 'POST', url: `/${name}`, headers: {}, address: '192.0.2.1', ...head }
  return test.event(FrameType.REQUEST, number, openPayload(whole as never, Buffer.from(body as string)), flags)
}

/** The whole answer, once it is there. */
export async function answerTo(test: TestApp, number: number): Promise<HttpAnswer> {
  const parts = await test.until((frames) => {
    const mine = frames.filter(({ head }) => (head.type === FrameType.RESPONSE || head.type === FrameType.RESPONSE_PART) && head.connection === number)
    return mine.some(({ head }) => (head.flags & Flag.END) !== 0) && mine
  })
  const [first, ...others] = parts.map(({ payload }) => payload)
  const end = 4 + readU32(first!, 0)
  const body = Buffer.concat([first!.subarray(end), ...others]).toString()
  return { ...(JSON.parse(first!.toString('utf8', 4, end)) as ResponseHead), body, json: /^[[{]/.test(body) ? JSON.parse(body) : undefined }
}

let requests = 1000

/** Asks, and waits for the answer. */
export async function call(test: TestApp, name: string, asked: Asked = {}): Promise<HttpAnswer> {
  const number = requests++
  request(test, number, name, asked)
  return answerTo(test, number)
}
