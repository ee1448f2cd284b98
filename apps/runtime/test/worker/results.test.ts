import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Flag, FrameSplitter, FrameType, HEADER_BYTES, Link, encodeFrame, readHead } from '@socklet/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Results } from '../../src/worker/results.ts'
import { checkResult, type CheckedResult } from '../../src/worker/result.ts'
import { TURN_HEADER_BYTES, TURN_HEADER_WORDS, TurnWord } from '../../src/turn-layout.ts'

/** The results of turns over real links: what has left is what the other ends have read. */
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'socklet-results-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

interface End {
  link: Link
  frames: { type: number; sequence: number; text: string }[]
}

let ends = 0
async function makeEnd(): Promise<End> {
  const server = createServer().listen(join(folder, `${ends}.sock`))
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const near = connect(join(folder, `${ends++}.sock`))
  const [far] = await accepted
  server.close()
  sockets.push(near, far)
  const frames: End['frames'] = []
  const splitter = new FrameSplitter((bytes, from, end) => {
    const { type, sequence } = readHead(bytes, from)
    frames.push({ type, sequence, text: Buffer.from(bytes.subarray(from + HEADER_BYTES, end)).toString() })
  })
  far.on('data', (chunk: Buffer) => splitter.push(chunk))
  return { link: new Link(near, { onFrame: () => {} }), frames }
}

async function start(): Promise<{ results: Results; gateway: End; pool: End; texts: (count: number) => Promise<string[]> }> {
  const [gateway, pool] = [await makeEnd(), await makeEnd()]
  const results = new Results({ app: 7, generation: 3, gateways: [gateway.link], pool: pool.link })
  return { results, gateway, pool, texts: async (count) => await until(() => gateway.frames.length >= count && gateway.frames.map(({ text }) => text)) }
}

async function until<T>(found: () => T | false): Promise<T> {
  for (const end = Date.now() + 5_000; ; ) {
    const answer = found()
    if (answer !== false) return answer
    if (Date.now() > end) throw new Error('in vain')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** The result of a turn that sends a text, and changes shared values or does not. */
function resultOf(text: string, changes: boolean, more = 0): CheckedResult {
  const head = { flags: 0, gateway: 0, app: 0, generation: 0, connection: 1, sequence: 0 }
  const frames = [encodeFrame({ ...head, type: FrameType.SEND }, Buffer.from(text))]
  if (changes) frames.push(encodeFrame({ ...head, type: FrameType.SHARED, flags: Flag.END }, Buffer.from('change')))
  const bytes = Buffer.concat(frames)
  const buffer = new ArrayBuffer(TURN_HEADER_BYTES + bytes.byteLength + more)
  new Uint8Array(buffer).set(bytes, TURN_HEADER_BYTES)
  const words = new Uint32Array(buffer, 0, TURN_HEADER_WORDS)
  words[TurnWord.USED] = TURN_HEADER_BYTES + bytes.byteLength
  words[TurnWord.SHARED] = changes ? 1 : 0
  return checkResult(buffer)
}

const MIB = 1024 * 1024

describe('the results of turns', () => {
  it('leave at once without a change, and behind a change when that is stored, in their order', async () => {
    const { results, pool, texts } = await start()
    results.add(resultOf('at once', false))
    expect(results.isEmpty).toBe(true)
    results.add(resultOf('first', true))
    results.add(resultOf('behind the first', false))
    results.add(resultOf('second', true))
    results.add(resultOf('behind the second', false))
    expect((await until(() => pool.frames.length === 2 && pool.frames)).map(({ type, sequence }) => [type, sequence])).toEqual([[FrameType.SHARED, 1], [FrameType.SHARED, 2]])
    expect(await texts(1)).toEqual(['at once'])
    results.onStored(1)
    expect(await texts(3)).toEqual(['at once', 'first', 'behind the first'])
    expect(results.isEmpty).toBe(false)
    results.onStored(2)
    expect(await texts(5)).toEqual(['at once', 'first', 'behind the first', 'second', 'behind the second'])
    expect(results.isEmpty).toBe(true)
  })

  it('tell once when nothing waits any more, or at once if nothing does', async () => {
    const { results } = await start()
    let told = 0
    results.whenEmpty(() => told++)
    expect(told).toBe(1)
    results.add(resultOf('a', true))
    results.whenEmpty(() => told++)
    expect(told).toBe(1)
    results.onStored(1)
    expect(told).toBe(2)
    results.add(resultOf('b', true))
    results.onStored(2)
    expect(told).toBe(2)
  })

  it('are full above 8 MiB that wait, and not any more when these have left', async () => {
    const { results } = await start()
    for (let change = 1; change <= 7; change++) results.add(resultOf('m', true, MIB))
    expect(results.isFull).toBe(false)
    for (let change = 8; change <= 9; change++) results.add(resultOf('m', true, MIB))
    expect(results.isFull).toBe(true)
    results.onStored(9)
    expect(results.isFull).toBe(false)
    for (let change = 10; change <= 16; change++) results.add(resultOf('m', true, MIB))
    expect(results.isFull).toBe(false)
  })

  it('are full above 1,000 that wait', async () => {
    const { results } = await start()
    for (let change = 1; change <= 1_000; change++) results.add(resultOf('m', true))
    expect(results.isFull).toBe(false)
    results.add(resultOf('m', true))
    expect(results.isFull).toBe(true)
    results.onStored(1)
    expect(results.isFull).toBe(false)
  })

  // The numbers of changes begin anew after 2^32: 0 is then later than 0xffffffff.
  it('wait for the right change where the numbers begin anew', async () => {
    const { results, texts } = await start()
    results.add(resultOf('first', true))
    results.onStored(0xffffffff)
    expect(results.isEmpty).toBe(false)
    results.onStored(1)
    expect(await texts(1)).toEqual(['first'])
  })
})
