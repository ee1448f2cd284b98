import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connect, type Client } from '../support/client.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { attacksOf, type ReachAttack } from './attack.ts'
import { expectNothingOfOthers, logOf, PLATFORM_TOKEN, startBystander, type Bystander } from './bystander.ts'
import { reachSource } from './reach.ts'

const attacks = await attacksOf<ReachAttack>('reach')

const ANSWER_MS = 5_000

let platform: Platform
let bystander: Bystander
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '1'], env: { SOCKLET_ADMIN_TOKEN: PLATFORM_TOKEN } })
  bystander = await startBystander(platform)
  await platform.app('attacker', { __websocket__: reachSource(attacks, bystander.victim) })
  await platform.admin('PATCH', '/apps/attacker', { limits: { logLinesPerSecond: 10_000, turnCpuMs: 10_000 } })
})
afterAll(async () => {
  await bystander?.close()
  await platform.close()
})

describe.each(attacks)('%s', (file, { name, variants }) => {
  let client: Client
  beforeEach(async () => {
    client = await connect(platform.url('attacker'))
  })
  afterEach(() => client.close())

  it.each(Object.keys(variants))(`${name}: %s`, async (variant) => {
    client.send(`${file} ${variant}`)
    const answer = JSON.parse(await client.nextMatching(/^\{"name"/, ANSWER_MS))
    expect(answer).toEqual({ name: `${file} ${variant}`, got: null })
    client.send('well?')
    expect(await client.nextMatching(/^well /, ANSWER_MS)).toBe('well 1 string')
  })
})

it('the app beside it is well, and nothing of it or of the host is in what the attacker was told and has logged', async () => {
  await bystander.expectWell()
  for (const { message } of await logOf(platform, 'attacker')) expectNothingOfOthers(message)
})
