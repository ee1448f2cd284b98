import { connect } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { encodeFrame, FrameType, type FrameHead } from '@socklet/protocol'
import type { Client } from './support/client.ts'
import { at, startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'
import type { FakeWorker, Got } from './support/worker.ts'

let platform: Platform
let mine: FakeWorker
let theirs: FakeWorker
let client: Client
let victim: Client
let opened: Got
let victimOpened: Got
beforeEach(async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  platform = await startPlatform({ times: { linkHello: 300 } })
  mine = await platform.app('mine', 7)
  theirs = await platform.app('theirs', 8)
  client = await platform.open('/mine')
  victim = await platform.open('/theirs')
  opened = await mine.got(FrameType.OPEN)
  victimOpened = await theirs.got(FrameType.OPEN)
})
afterEach(async () => {
  await platform.stop()
  vi.restoreAllMocks()
})

/** Everything that the attacker sent before has had its effect once this is through. */
async function settled(): Promise<void> {
  const heard = client.messages.length
  mine.send(opened, 'flush')
  await client.heard(heard + 1)
}

test("no command reaches another app's connection: not by its number, nor by naming its app", async () => {
  const claims: FrameHead[] = [{ ...opened, connection: victimOpened.connection }, victimOpened, { ...victimOpened, generation: 2 }, { ...opened, app: 99 }]
  for (const claim of claims) {
    mine.send(claim, 'forged')
    mine.sendMany(claim, [victimOpened.connection], 'forged')
    mine.close(claim, 4000)
    mine.command(FrameType.TERMINATE, claim)
    mine.respond(claim, { status: 200, headers: [] }, 'forged')
    mine.ackRange(victimOpened, 0, 0xffff_ffff)
    if (claim.app === 8 || claim.app === 99) mine.sendRoom(claim, null, [], 'forged')
    mine.command(FrameType.JOIN, claim, Buffer.from('room'))
    mine.command(FrameType.PAUSE, claim)
    mine.command(FrameType.SEND_PING, claim, Buffer.from('forged'))
    mine.decide(claim, { accept: true })
  }
  await settled()
  theirs.send(victimOpened, 'true')
  expect(await victim.heard(1)).toEqual(['true'])
  expect(victim.code).toBeNull()
  expect((await platform.traffic(8)).queueEvents).toBe(1)
})

test('frames of an older generation are dropped', async () => {
  await platform.pool.placed(7, at(7, 7, 2))
  mine.send({ ...opened, generation: 1 }, 'old')
  mine.ackRange({ ...opened, generation: 1 }, 0, 0)
  mine.send({ ...opened, generation: 2 }, 'new')
  expect(await client.heard(1)).toEqual(['new'])
  expect((await platform.traffic(7)).queueEvents).toBe(1)
})

test('a worker that lost the app says nothing any more', async () => {
  await platform.pool.placed(7, at(7, 8, 2))
  mine.send(opened, 'old')
  mine.send({ ...opened, generation: 2 }, 'guessed')
  theirs.send({ ...opened, generation: 2 }, 'new')
  expect(await client.heard(1)).toEqual(['new'])
})

test('acknowledging what does not exist changes nothing', async () => {
  mine.ackRange(opened, 5, 10)
  mine.ackRange(opened, 0xffff_0000, 0xffff_ffff)
  mine.ackRange(opened, 3, 1)
  await settled()
  expect((await platform.traffic(7)).queueEvents).toBeLessThanOrEqual(1)
})

test('acknowledging the same again and again does not keep the gateway busy for ever', async () => {
  const count = 500
  for (let n = 0; n < count; n++) client.ws.send('x')
  const last = await mine.got(FrameType.MESSAGE, count - 1)
  mine.ackRange(opened, 250, last.sequence)
  const pairs = Buffer.alloc(8 * 5_000)
  for (let n = 0; n < 5_000; n++) {
    pairs.writeUInt32LE(250, n * 8)
    pairs.writeUInt32LE(last.sequence, n * 8 + 4)
  }
  mine.command(FrameType.ACK, opened, pairs)
  await until(() => mine.closed)
})

test.each<[string, Buffer]>([
  ['an event from a worker', Buffer.from(encodeFrame({ ...head(FrameType.MESSAGE) }))],
  ['a type that does not exist', Buffer.from(encodeFrame({ ...head(200) }))],
  ['a call on a link for commands', Buffer.from(encodeFrame({ ...head(FrameType.CALL) }, Buffer.from('{}')))],
  ['a message to many longer than its frame', Buffer.from(encodeFrame(head(FrameType.SEND_MANY), Buffer.from([255, 255, 255, 255, 1, 0, 0, 0])))],
  ['a message to many with half a receiver', Buffer.from(encodeFrame(head(FrameType.SEND_MANY), Buffer.from([0, 0, 0, 0, 1, 0])))],
  ['a message to many without a length', Buffer.from(encodeFrame(head(FrameType.SEND_MANY), Buffer.from([1])))],
  ['a message to a room without a name', Buffer.from(encodeFrame(head(FrameType.SEND_ROOM), Buffer.from([1, 0])))],
  ['a message to a room whose name is longer than its frame', Buffer.from(encodeFrame(head(FrameType.SEND_ROOM), Buffer.from([5, 0, 0, 0, 97, 0, 0, 0])))],
  ['a message to a room whose name is longer than any', Buffer.from(encodeFrame(head(FrameType.SEND_ROOM), Buffer.from([254, 255, 255, 255, 97, 0, 0, 0])))],
  ['a message to a room with fewer exceptions than it says', Buffer.from(encodeFrame(head(FrameType.SEND_ROOM), Buffer.from([255, 255, 255, 255, 255, 255, 255, 31, 1, 0, 0, 0])))],
  ['a decision whose head is longer than its frame', Buffer.from(encodeFrame(head(FrameType.UPGRADE_RESULT), Buffer.from([255, 255, 255, 127])))],
  ['half a pair', Buffer.from(encodeFrame(head(FrameType.ACK), Buffer.alloc(4)))],
  ['an answer whose head is longer than its frame', Buffer.from(encodeFrame(head(FrameType.RESPONSE), Buffer.from([255, 255, 255, 127])))],
  ['an answer without a head', Buffer.from(encodeFrame(head(FrameType.RESPONSE)))],
  ['a frame shorter than a header', Buffer.from([8, 0, 0, 0, 32, 0, 0, 0, ...Array.from({ length: 16 }, () => 0)])],
  ['a frame longer than any', Buffer.from([255, 255, 255, 255, 32, 0, 0, 0, ...Array.from({ length: 16 }, () => 0)])]
])('%s ends the link, and nothing else', async (_name, bytes) => {
  mine.socket.write(bytes)
  await until(() => mine.closed)
  theirs.send(victimOpened, 'alive')
  expect(await victim.heard(1)).toEqual(['alive'])
  expect(client.code).toBeNull()
})

function head(type: number): FrameHead {
  return { type, flags: 0, gateway: 3, app: 7, generation: 1, connection: 2, sequence: 0 }
}

test('what was sent before a broken frame is still delivered', async () => {
  mine.send(opened, 'last')
  mine.command(200, opened)
  expect(await client.heard(1)).toEqual(['last'])
})

test.each([
  ['nothing at all', null],
  ['a note that is no hello', encodeFrame(head(FrameType.NOTE), Buffer.from('{"method":"hi","params":{"worker":1}}'))],
  ['a hello without a worker', encodeFrame(head(FrameType.NOTE), Buffer.from('{"method":"hello"}'))],
  ['a hello that is no JSON', encodeFrame(head(FrameType.NOTE), Buffer.from('hello'))],
  ['a hello that is null', encodeFrame(head(FrameType.NOTE), Buffer.from('null'))],
  ['a command', encodeFrame(head(FrameType.SEND), Buffer.from('x'))]
])('a link that begins with %s is ended', async (_name, bytes) => {
  const socket = connect(platform.linkSocket)
  socket.on('error', () => {})
  if (bytes !== null) socket.write(bytes)
  await once(socket, 'close')
  expect(victim.code).toBeNull()
})
