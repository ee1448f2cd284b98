import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { binary, frame, Opcode, text } from '../conformance/support/frames.ts'
import { handshake, openRaw, RawClient } from '../conformance/support/raw-client.ts'
import { connect } from '../support/client.ts'
import type { Platform } from '../support/platform.ts'
import { appWith, expectBounded, startWithNeighbour, tollOf } from './support/load.ts'

/** permessage-deflate (RFC 7692), which an app has to ask for with compressFromBytes. */
let platform: Platform
beforeAll(async () => {
  platform = await startWithNeighbour()
  await appWith(platform, 'compress-off', {})
  await appWith(platform, 'compress-on', { compressFromBytes: 1000 })
})
afterAll(() => platform.close())

const MiB = 1024 * 1024
const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate' }
const RSV1 = 4

/** A message as RFC 7692, 7.2.1 has it: without the last four bytes of the flush. */
function deflated(bytes: Uint8Array): Buffer {
  const whole = deflateRawSync(bytes, { finishFlush: 2 })
  return whole.subarray(0, whole.byteLength - 4)
}

describe('compressFromBytes', () => {
  it('is off unless it is set: what is offered is not taken, and a compressed frame is a violation', async () => {
    const client = new RawClient(platform.gatewayPort)
    client.write(handshake({ path: '/compress-off', headers: OFFER }))
    const { status, headers } = await client.response()
    expect([status, headers['sec-websocket-extensions']]).toEqual([101, undefined])
    client.write(text(deflated(Buffer.from('x')), { rsv: RSV1 }))
    expect((await client.closeFrame())?.code).toBe(1002)
    client.destroy()
  })

  it('is taken where it is set and offered, and messages from that size on are compressed', async () => {
    const client = await connect(platform.url('compress-on'), { perMessageDeflate: { threshold: 0 } })
    expect(client.ws.extensions).toMatch(/^permessage-deflate/)
    for (const sent of ['short', 'long '.repeat(100_000), Buffer.alloc(100_000, 7), '']) {
      client.send(sent)
      expect(await client.next()).toEqual(sent)
    }
    await client.close()
    const raw = await openRaw(platform.gatewayPort, '/compress-on', { headers: OFFER })
    raw.write(text('x'.repeat(999)), text('x'.repeat(1000)))
    expect((await raw.frame())!.rsv).toBe(0)
    const large = (await raw.frame())!
    expect(large.rsv).toBe(RSV1)
    expect(large.payload.byteLength).toBeLessThan(100)
    raw.destroy()
  })

  it('is not used for a client that does not offer it', async () => {
    const raw = await openRaw(platform.gatewayPort, '/compress-on')
    raw.write(text('x'.repeat(5000)))
    expect(await raw.message()).toBe('x'.repeat(5000))
    raw.destroy()
  })

  it('a bomb closes with 1009, and takes no more memory than a message may', async () => {
    const bomb = deflated(Buffer.alloc(256 * MiB))
    expect(bomb.byteLength).toBeLessThan(MiB)
    const toll = await tollOf(platform, async () => {
      const clients = await Promise.all(Array.from({ length: 10 }, () => openRaw(platform.gatewayPort, '/compress-on', { headers: OFFER })))
      for (const client of clients) client.write(binary(bomb, { rsv: RSV1 }))
      for (const client of clients) expect((await client.closeFrame())?.code).toBe(1009)
      for (const client of clients) client.destroy()
    })
    expectBounded(toll, 150)
  })

  it('a bomb in fragments does too', async () => {
    const bomb = deflated(Buffer.alloc(64 * MiB))
    const client = await openRaw(platform.gatewayPort, '/compress-on', { headers: OFFER })
    const half = bomb.byteLength >> 1
    client.write(binary(bomb.subarray(0, half), { rsv: RSV1, fin: false }), frame(Opcode.CONTINUATION, { payload: bomb.subarray(half) }))
    expect((await client.closeFrame())?.code).toBe(1009)
    client.destroy()
  })

  it('what is not deflate at all closes with 1007', async () => {
    const client = await openRaw(platform.gatewayPort, '/compress-on', { headers: OFFER })
    client.write(text(Buffer.of(0xff, 0xff, 0xff, 0xff), { rsv: RSV1 }))
    expect((await client.closeFrame())?.code).toBe(1007)
    client.destroy()
  })

  it('invalid UTF-8 is found when it is compressed, too', async () => {
    const client = await openRaw(platform.gatewayPort, '/compress-on', { headers: OFFER })
    client.write(text(deflated(Buffer.of(0xff)), { rsv: RSV1 }))
    expect((await client.closeFrame())?.code).toBe(1007)
    client.destroy()
  })
})
