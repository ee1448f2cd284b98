import { expect, it } from 'vitest'
import { connect } from '../support/client.ts'
import type { Platform } from '../support/platform.ts'
import { connectJson, type JsonClient } from './json-client.ts'
import { publishSample } from './publish.ts'

export function chatSamples(platform: () => Platform): void {
  it('broadcast: all but the sender get a message, text as text and binary as binary', async () => {
    await publishSample(platform(), 'broadcast')
    const [a, b, c] = await Promise.all([1, 2, 3].map(() => connect(platform().url('broadcast'))))
    a!.send('to all')
    expect(await b!.next()).toBe('to all')
    expect(await c!.next()).toBe('to all')
    b!.send(Buffer.from([0, 255, 10]))
    // The first that the sender of the first message gets is the second one.
    expect(await a!.next()).toEqual(Buffer.from([0, 255, 10]))
    expect(await c!.next()).toEqual(Buffer.from([0, 255, 10]))
    await c!.close()
    expect(await a!.next()).toBe('2 still here')
    expect(await b!.next()).toBe('2 still here')
    await Promise.all([a!.close(), b!.close()])
  })

  it('chat-rooms: what is said in a room reaches the others in it, and nobody else', async () => {
    await publishSample(platform(), 'chat-rooms')
    const enter = async (name: string, room: string): Promise<JsonClient> => {
      const client = await connectJson(platform().url('chat-rooms'))
      client.send({ type: 'enter', room, name })
      expect(await client.next()).toMatchObject({ type: 'entered', room })
      return client
    }
    const ann = await enter('Ann', 'tea')
    const bob = await enter('Bob', 'tea')
    const cat = await enter('Cat', 'chess')
    cat.send({ type: 'enter', room: 'tea', name: 'Cat' })
    expect(await cat.next()).toEqual({ type: 'entered', room: 'tea', people: 3 })

    ann.send({ type: 'say', room: 'tea', text: 'hello' })
    expect(await bob.next()).toEqual({ type: 'said', room: 'tea', name: 'Ann', text: 'hello' })
    expect(await cat.next()).toEqual({ type: 'said', room: 'tea', name: 'Ann', text: 'hello' })
    cat.send({ type: 'say', room: 'chess', text: 'alone' })
    ann.send({ type: 'say', room: 'chess', text: 'uninvited' })
    expect(await ann.next()).toEqual({ type: 'error', text: 'you are not in chess' })

    // A publish changes nothing for those who are there.
    const { code } = (await platform().admin('GET', '/apps/chat-rooms/functions/__websocket__')).json
    expect((await platform().admin('PUT', '/apps/chat-rooms/functions/__websocket__', `${code}\n// second edition`)).status).toBe(200)
    bob.send({ type: 'say', room: 'tea', text: 'after' })
    expect(await ann.next()).toEqual({ type: 'said', room: 'tea', name: 'Bob', text: 'after' })
    expect(await cat.next()).toEqual({ type: 'said', room: 'tea', name: 'Bob', text: 'after' })

    bob.send({ type: 'leave', room: 'tea' })
    expect(await ann.next()).toEqual({ type: 'left', room: 'tea', name: 'Bob' })
    await cat.close()
    expect(await ann.next()).toEqual({ type: 'left', room: 'tea', name: 'Cat' })
    await Promise.all([ann.close(), bob.close()])
  })
}
