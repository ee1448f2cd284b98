import { expect, it } from 'vitest'
import type { Platform } from '../support/platform.ts'
import { connectJson, type Json, type JsonClient } from './json-client.ts'
import { publishSample } from './publish.ts'

const PHONE = 'Mozilla/5.0 (Linux; Android 16; Pixel 10)'

export function nearbySample(platform: () => Platform): void {
  it('shows those behind the same address to each other, and relays to the one who is meant', async () => {
    await publishSample(platform(), 'nearby')
    // The headers are those of a proxy in front of the platform, which this platform has been told to trust.
    const arrive = async (headers: Record<string, string>): Promise<JsonClient & { me: Json; peers: Json[] }> => {
      const client = await connectJson(platform().url('nearby'), { headers: { ...headers, 'user-agent': PHONE } })
      const me = await client.next()
      expect(me).toMatchObject({ type: 'display-name', name: expect.stringMatching(/^\w+ \w+ \(Android\)$/) })
      return { ...client, me, peers: (await client.nextOf('peers'))['peers'] }
    }
    const a = await arrive({ 'x-real-ip': '203.0.113.7' })
    const stranger = await arrive({ 'x-real-ip': '198.51.100.9', 'x-forwarded-for': '203.0.113.7' })
    const b = await arrive({ 'x-forwarded-for': '198.51.100.9, 203.0.113.7' })
    expect(a.peers).toEqual([])
    expect(stranger.peers).toEqual([])
    expect(b.peers).toEqual([{ id: a.me['id'], name: a.me['name'] }])
    expect(await a.next()).toEqual({ type: 'peer-joined', peer: { id: b.me['id'], name: b.me['name'] } })

    b.send({ type: 'signal', to: a.me['id'], sdp: 'offer' })
    expect(await a.next()).toEqual({ type: 'signal', sdp: 'offer', sender: b.me['id'] })
    // Who is behind another address cannot be reached, and nobody minds.
    stranger.send({ type: 'signal', to: a.me['id'], sdp: 'from outside' })
    stranger.send({ type: 'disconnect' })
    expect(await stranger.raw.closed).toEqual({ code: 1000, reason: 'bye' })

    b.raw.ws.terminate()
    expect(await a.next()).toEqual({ type: 'peer-left', id: b.me['id'] })
    await a.close()
  })
}
