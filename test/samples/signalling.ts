import { expect, it } from 'vitest'
import type { Platform } from '../support/platform.ts'
import { connectJson } from './json-client.ts'
import { publishSample } from './publish.ts'

export function signallingSample(platform: () => Platform): void {
  it('brings what is published to all who have subscribed to the topic', async () => {
    await publishSample(platform(), 'webrtc-signalling')
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => connectJson(platform().url('webrtc-signalling'))))
    const settled = async (): Promise<void> => {
      // A pong says that what was sent before the ping has been dealt with.
      for (const client of [a!, b!, c!]) client.send({ type: 'ping' })
      for (const client of [a!, b!, c!]) expect(await client.next()).toEqual({ type: 'pong' })
    }
    a!.send({ type: 'subscribe', topics: ['doc-1', 'doc-2'] })
    b!.send({ type: 'subscribe', topics: ['doc-1'] })
    c!.send({ type: 'subscribe', topics: ['doc-2'] })
    await settled()

    a!.send({ type: 'publish', topic: 'doc-1', from: 'a', signal: { sdp: 'offer' } })
    const expected = { type: 'publish', topic: 'doc-1', from: 'a', signal: { sdp: 'offer' }, clients: 2 }
    expect(await a!.next()).toEqual(expected)
    expect(await b!.next()).toEqual(expected)

    b!.send({ type: 'unsubscribe', topics: ['doc-1'] })
    await settled()
    a!.send({ type: 'publish', topic: 'doc-1' })
    expect(await a!.next()).toEqual({ type: 'publish', topic: 'doc-1', clients: 1 })

    a!.raw.ws.terminate()
    await a!.raw.closed
    b!.send({ type: 'subscribe', topics: ['doc-2'] })
    b!.send({ type: 'publish', topic: 'doc-2' })
    // Whether the server has noticed by now that a is gone, the count tells; c gets it in any case.
    expect(await c!.next()).toMatchObject({ type: 'publish', topic: 'doc-2' })
    await settledAfterClose(b!, c!)
    await Promise.all([b!.close(), c!.close()])
  })

  it('ends a connection whose client answers no pings', async () => {
    await platform().admin('PUT', '/apps/webrtc-signalling/env', { PING_MS: '500' })
    await platform().admin('POST', '/apps/webrtc-signalling/restart')
    const alive = await connectJson(platform().url('webrtc-signalling'))
    const dead = await connectJson(platform().url('webrtc-signalling'), { autoPong: false })
    expect((await dead.raw.closed).code).toBe(1006)
    alive.send({ type: 'ping' })
    expect(await alive.next()).toEqual({ type: 'pong' })
    await alive.close()
  })
}

async function settledAfterClose(b: Awaited<ReturnType<typeof connectJson>>, c: typeof b): Promise<void> {
  for (let clients = 3; clients !== 2; ) {
    b.send({ type: 'publish', topic: 'doc-2' })
    clients = (await c.next())['clients']
  }
}
