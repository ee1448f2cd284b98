import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from '../support/client.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { attacksOf, type OverwriteAttack } from './attack.ts'
import { expectNothingOfOthers, logOf, startBystander, type Bystander } from './bystander.ts'

const attacks = await attacksOf<OverwriteAttack>('overwrite')

/**
 * Uses everything that the guest does for a message. Its own code keeps clear of what is overwritten: plain syntax, no methods
 * of built-ins, no iteration.
 */
const EXERCISE = `
  const { default: cloud } = require('@lafjs/cloud')
  const { sockets } = cloud
  const get = cloud.shared.get.bind(cloud.shared)
  const set = cloud.shared.set.bind(cloud.shared)
  exports.main = async function (ctx) {
    const { socket } = ctx
    if (ctx.method === 'WebSocket:connection') { socket.join('room'); socket.data = { since: 1 }; socket.send('hello'); return }
    if (ctx.method !== 'WebSocket:message') return
    const before = get('n')
    set('n', before === undefined ? 1 : before + 1)
    await null
    socket.send('one ' + get('n') + ' ' + socket.data.since)
    sockets.send('all')
    sockets.in('room').send('room')
    console.log('line ' + get('n'))
    setTimeout(() => socket.send('later'), 1)
  }
`

const ANSWER_MS = 5_000

let platform: Platform
let bystander: Bystander
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '1'] })
  bystander = await startBystander(platform)
})
afterAll(async () => {
  await bystander?.close()
  await platform.close()
})

let apps = 0

describe.each(attacks)('%s', (_file, { name, variants }) => {
  it.concurrent.each(Object.entries(variants))(`${name}: %s`, async (_variant, code) => {
    const appid = `overwriter-${apps++}`
    await platform.app(appid, { __websocket__: EXERCISE + code })
    const client = await connect(platform.url(appid))
    expect(await client.next(ANSWER_MS)).toBe('hello')
    for (let n = 1; n <= 3; n++) {
      client.send('x')
      const answers = [await client.next(ANSWER_MS), await client.next(ANSWER_MS), await client.next(ANSWER_MS), await client.next(ANSWER_MS)]
      expect(answers).toEqual([`one ${n} 1`, 'all', 'room', 'later'])
    }
    const lines = await until('the lines are in the log', async () => {
      const log = await logOf(platform, appid)
      return log.some(({ message }) => message === 'line 3') ? log : null
    })
    expect(lines.map(({ message }) => message).toReversed()).toEqual(['line 1', 'line 2', 'line 3'])
    for (const { message } of lines) expectNothingOfOthers(message)
    await client.close()
  })
})

it('the app beside them is well', () => bystander.expectWell())
