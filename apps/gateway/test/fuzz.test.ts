import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { encodeFrame, FrameType } from '@socklet/protocol'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

const SEED = 20_261_124
const RUNS = 150

let platform: Platform
afterEach(async () => {
  await platform.stop()
  vi.restoreAllMocks()
})

test('whatever a worker sends of its app: the link ends or not, and another app is served as before', async () => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  platform = await startPlatform()
  const theirs = await platform.app('theirs', 8)
  theirs.echo()
  const victim = await platform.open('/theirs')
  let asked = 0
  const small = fc.nat({ max: 6 })
  const u32 = fc.oneof(small, fc.nat({ max: 0xffffffff }), fc.constant(0xffffffff))
  const head = fc.record({ type: fc.oneof(fc.integer({ min: FrameType.SEND, max: FrameType.BINARY_TYPE }), fc.nat({ max: 255 })), flags: fc.nat({ max: 255 }), gateway: fc.constantFrom(3, 0, 0xffff), app: fc.constantFrom(7, 7, 7, 8), generation: fc.constantFrom(1, 1, 2), connection: u32, sequence: u32 })
  const payload = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.array(u32, { maxLength: 8 }).map((words) => new Uint8Array(new Uint32Array(words).buffer)))
  let mine = await platform.app('mine', 7)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(head, payload), { minLength: 1, maxLength: 30 }), async (frames) => {
      if (mine.closed) mine = await platform.worker(7)
      const client = await platform.open('/mine').catch(() => null)
      mine.socket.write(Buffer.concat(frames.map(([one, bytes]) => encodeFrame(one, bytes))))
      victim.ws.send(`still ${++asked}`)
      await until(() => victim.messages.includes(`still ${asked}`), () => `answer ${asked}`)
      expect(victim.messages).toHaveLength(asked)
      expect(victim.code).toBeNull()
      client?.ws.terminate()
    }),
    { seed: SEED, numRuns: RUNS }
  )
}, 60_000)
