import { Flag, FrameType, type FrameHead } from '@socklet/protocol'
import { expect, it } from 'vitest'
import { States } from '../../src/worker/states.ts'

const head = (app: number, generation: number, flags = 0): FrameHead => ({ type: FrameType.SHARED_STATE, flags, gateway: 0, app, generation, connection: 0, sequence: 0 })
const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)]
const NOTHING = new Uint8Array(0)

it('gives what came for this life of the app, whether it is asked for before or after the first of it', async () => {
  const states = new States()
  const early = states.whole(1, 1)
  states.add(head(1, 1), one)
  states.add(head(2, 5), two)
  const late = states.whole(2, 5)
  states.add(head(1, 1), two)
  states.add(head(1, 1, Flag.END), NOTHING)
  states.add(head(2, 5, Flag.END), NOTHING)
  expect(await early).toEqual([one, two])
  expect(await late).toEqual([two])
})

it('gives nothing of a life that is over', async () => {
  const states = new States()
  void states.whole(1, 1)
  states.add(head(1, 1), one)
  const next = states.whole(1, 2)
  states.add(head(1, 2), two)
  states.add(head(1, 2, Flag.END), NOTHING)
  expect(await next).toEqual([two])
})

it('gives what has come for a trial, once', () => {
  const states = new States()
  states.add(head(9, 0), one)
  states.add(head(9, 0, Flag.END), NOTHING)
  expect(states.take(9)).toEqual([one])
  expect(states.take(9)).toEqual([])
})
