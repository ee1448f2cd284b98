import { spawn, type ChildProcess } from 'node:child_process'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { FrameType, HEADER_BYTES, Link, readHead, type FrameHead, type LinkOptions } from '../src/index.ts'

const CHILD = fileURLToPath(new URL('link-child.ts', import.meta.url))
const head: FrameHead = { type: FrameType.MESSAGE, flags: 0, gateway: 0, app: 1, generation: 1, connection: 0, sequence: 0 }

let child: ChildProcess
let link: Link
let came: { sequence: number; text: string }[] = []
let onBatch = (): void => {}
beforeAll(() => {
  child = spawn(process.execPath, [CHILD], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
  link = new Link(child.stdio[3] as Socket, {
    onFrame: (bytes, start, end) => came.push({ sequence: readHead(bytes, start).sequence, text: Buffer.from(bytes.subarray(start + HEADER_BYTES, end)).toString() }),
    onBatch: () => onBatch()
  })
})
afterAll(() => {
  link.end()
  child.kill('SIGKILL')
})

/** Sends these in several turns, then has them sent back. */
async function thereAndBack(texts: string[], turnEvery: number, isLater: (index: number) => boolean = () => false): Promise<{ sequence: number; text: string }[]> {
  came = []
  const done = new Promise<void>((resolve) => {
    onBatch = () => {
      if (came.length >= texts.length) resolve()
    }
  })
  for (const [sequence, text] of texts.entries()) {
    if (isLater(sequence)) link.sendLater({ ...head, sequence }, Buffer.from(text))
    else link.sendText({ ...head, sequence }, text)
    if (sequence % turnEvery === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  if (isLater(texts.length)) link.sendLater({ ...head, type: FrameType.CLOSED })
  else link.send({ ...head, type: FrameType.CLOSED })
  child.kill('SIGCONT')
  await done
  return came
}

// An early event of an app was kept by slice(), which a Buffer takes for subarray(): the next read wrote over it.
it('what is kept of a frame stays what it was, however much is read after it', async () => {
  for (const [size, turnEvery] of [[10, 1], [3_000, 3], [70_000, 2]] as const) {
    const texts = Array.from({ length: 200 }, (_, index) => `${index} `.repeat(size).slice(0, size))
    const back = await thereAndBack(texts, turnEvery)
    expect(back.map(({ sequence }) => sequence)).toEqual(texts.map((_, index) => index))
    expect(back.every(({ sequence, text }) => text === texts[sequence])).toBe(true)
  }
})

it('what the system has not taken yet stays what it was, however much is sent after it', async () => {
  child.kill('SIGSTOP')
  const texts = Array.from({ length: 400 }, (_, index) => `${index} `.repeat(4_000).slice(0, 4_000))
  const back = await thereAndBack(texts, 1)
  expect(back.every(({ sequence, text }) => text === texts[sequence])).toBe(true)
})

it('what is sent later comes in its order, and by itself if nothing else is sent', async () => {
  const texts = Array.from({ length: 100 }, (_, index) => `${index}`)
  for (const isLater of [(index: number) => index % 3 > 0, (index: number) => index % 3 === 0, () => true]) {
    const back = await thereAndBack(texts, 4, isLater)
    expect(back).toEqual(texts.map((text, sequence) => ({ sequence, text })))
  }
})

/** A link of ours, and the sequences of what has come at its other end. */
async function pair(options: Pick<LinkOptions, 'gathers' | 'mayWait'>): Promise<{ near: Link; sequences: number[] }> {
  const sequences: number[] = []
  const server = createServer((socket) => void new Link(socket, { onFrame: (bytes, start) => sequences.push(readHead(bytes, start).sequence) })).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await new Promise((resolve) => socket.once('connect', resolve))
  const near = new Link(socket, { onFrame: () => {}, ...options })
  onTestFinished(() => {
    near.destroy()
    server.close()
  })
  return { near, sequences }
}

it('where a link gathers, much waits for what the next turn of the event loop brings, and no longer; a little does not wait', async () => {
  for (const [gathers, bytes, waits] of [[true, 600, true], [true, 100, false], [false, 600, false]] as const) {
    const { near, sequences } = await pair({ gathers })
    const send = (sequence: number): void => near.send({ ...head, sequence }, Buffer.alloc(bytes))
    send(1)
    await nextTurn()
    expect(near.pendingBytes > 0).toBe(waits)
    send(2)
    await nextTurn()
    expect(near.pendingBytes).toBe(0)
    // From the beginning: what leaves now has not waited yet.
    send(3)
    await nextTurn()
    expect(near.pendingBytes > 0).toBe(waits)
    send(4)
    near.flush()
    send(5)
    await nextTurn()
    await nextTurn()
    expect(near.pendingBytes).toBe(0)
    while (sequences.length < 5) await nextTurn()
    expect(sequences).toEqual([1, 2, 3, 4, 5])
  }
})

it('what may wait leaves by itself in a moment, and before that with what may not', async () => {
  let mayWait = true
  const { near, sequences } = await pair({ mayWait: () => mayWait })
  const send = (sequence: number): void => near.send({ ...head, sequence }, Buffer.alloc(600))
  send(1)
  send(2)
  await nextTurn()
  expect(near.pendingBytes).toBeGreaterThan(1200)
  while (sequences.length < 2) await nextTurn()
  send(3)
  await nextTurn()
  expect(near.pendingBytes).toBeGreaterThan(600)
  mayWait = false
  send(4)
  await nextTurn()
  expect(near.pendingBytes).toBe(0)
  while (sequences.length < 4) await nextTurn()
  expect(sequences).toEqual([1, 2, 3, 4])
})
