import { expect, it } from 'vitest'
import type { Platform } from '../support/platform.ts'
import { connectJson, type JsonClient } from './json-client.ts'
import { publishSample } from './publish.ts'

export function watchTogetherSample(platform: () => Platform): void {
  const join = async (name: string, room: string): Promise<JsonClient> => {
    const client = await connectJson(platform().url('watch-together'))
    client.send({ type: 'join', room, name })
    return client
  }

  it('keeps a room at the same second, by the hand of its host alone', async () => {
    await publishSample(platform(), 'watch-together')
    const ann = await join('Ann', 'film')
    expect(await ann.next()).toMatchObject({ type: 'state', playing: false, position: 0, host: 'Ann', people: ['Ann'] })
    const bob = await join('Bob', 'film')
    for (const client of [ann, bob]) expect(await client.next()).toMatchObject({ host: 'Ann', people: ['Ann', 'Bob'] })

    bob.send({ type: 'play' })
    expect(await bob.next()).toEqual({ type: 'error', text: 'only Ann can do that' })
    ann.send({ type: 'seek', position: 60 })
    for (const client of [ann, bob]) expect(await client.next()).toMatchObject({ playing: false, position: 60 })

    ann.send({ type: 'play' })
    const started = await bob.next()
    expect(started).toMatchObject({ playing: true, position: expect.closeTo(60, 1) })
    // Nobody sends anything now: these come from the timer, long after its handler has ended.
    for (const _ of [1, 2]) {
      const tick = await bob.next()
      expect(tick['position'] - 60).toBeCloseTo((tick['at'] - started['at']) / 1000, 1)
      expect(tick['at']).toBeGreaterThanOrEqual(started['at'] + 900)
    }
    ann.send({ type: 'pause' })
    const paused = await pausedState(bob)
    expect(paused['position']).toBeGreaterThan(61.5)

    // Somebody who comes later is at the same second, and the next in the row is the host when the host goes.
    const cat = await join('Cat', 'film')
    expect(await cat.next()).toMatchObject({ playing: false, position: paused['position'], host: 'Ann', people: ['Ann', 'Bob', 'Cat'] })
    await ann.close()
    expect(await cat.next()).toMatchObject({ host: 'Bob', people: ['Bob', 'Cat'] })
    bob.send({ type: 'seek', position: 5 })
    expect(await cat.next()).toMatchObject({ position: 5 })
    await Promise.all([bob.close(), cat.close()])
  })

  it('keeps rooms apart, and forgets a room that everybody has left', async () => {
    const [one, two] = await Promise.all([join('One', 'first'), join('Two', 'second')])
    expect(await one.next()).toMatchObject({ people: ['One'] })
    expect(await two.next()).toMatchObject({ people: ['Two'] })
    one.send({ type: 'seek', position: 100 })
    expect(await one.next()).toMatchObject({ position: 100 })
    one.send({ type: 'join', room: 'second', name: 'One' })
    for (const client of [one, two]) expect(await client.next()).toMatchObject({ position: 0, people: ['Two', 'One'] })
    one.send({ type: 'join', room: 'first', name: 'One' })
    expect(await one.next()).toMatchObject({ position: 0, people: ['One'] })
    await Promise.all([one.close(), two.close()])
  })
}

async function pausedState(client: JsonClient): ReturnType<JsonClient['next']> {
  for (;;) {
    const state = await client.nextOf('state')
    if (!state['playing']) return state
  }
}
