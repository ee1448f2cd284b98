import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startPlatform, type Platform } from '../support/platform.ts'
import { attacksOf, type GreedyAttack } from './attack.ts'
import { startBystander, type Bystander } from './bystander.ts'
import { attack } from './greedy.ts'

const attacks = [...(await attacksOf<GreedyAttack>('stuck')), ...(await attacksOf<GreedyAttack>('memory'))]
const tame = attacks.filter(([, { killsWorkers }]) => killsWorkers !== true)
const killing = attacks.filter(([, { killsWorkers }]) => killsWorkers === true)

let platform: Platform
let bystander: Bystander
let apps = 0
let before: string[]
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '1'] })
  bystander = await startBystander(platform)
  before = await trusted()
})
afterAll(async () => {
  await bystander?.close()
  await platform.close()
})
afterEach(() => bystander.expectWell())

describe('attacks that cost an app its isolate', () => {
  describe.each(tame)('%s', (_file, { name, variants }) => {
    it.each(Object.entries(variants))(`${name}: %s`, (_variant, variant) => attack(platform, `greedy-${apps++}`, variant))
  })
})

describe('attacks that may cost a worker its life', () => {
  describe.each(killing)('%s', (_file, { name, variants }) => {
    it.each(Object.entries(variants))(`${name}: %s`, (_variant, variant) => attack(platform, `killer-${apps++}`, variant))
  })

  it('gateway, pool and console are the processes that they were', async () => {
    expect(await trusted()).toEqual(before)
  })
})

/** Processes that run no code of tenants. */
async function trusted(): Promise<string[]> {
  return (await platform.processes()).filter(({ kind }) => ['gateway', 'pool', 'console'].includes(kind)).map(({ kind, pid }) => `${kind} ${pid}`).toSorted()
}
