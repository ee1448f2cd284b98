// The samples as programs: published as they are, with the clients that their protocols are made for on the other side.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPlatform, type Platform } from '../support/platform.ts'
import { chatSamples } from './chat.ts'
import { mqttSample } from './mqtt.ts'
import { nearbySample } from './nearby.ts'
import { notificationsSample } from './notifications.ts'
import { signallingSample } from './signalling.ts'
import { watchTogetherSample } from './watch-together.ts'
import { yjsSample } from './yjs.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ env: { SOCKLET_TRUST_PROXY: 'true' } })
})
afterAll(() => platform.close())

const running = (): Platform => platform

describe('broadcast and chat-rooms', () => chatSamples(running))
describe('yjs', () => yjsSample(running))
describe('webrtc-signalling', () => signallingSample(running))
describe('nearby', () => nearbySample(running))
describe('watch-together', () => watchTogetherSample(running))
describe('mqtt', () => mqttSample(running))
describe('notifications', () => notificationsSample(running))

/** The second Yjs after a publish says so, and a class in cloud.shared; the samples' comments tell why that harms nothing. */
const EXPECTED = /^yjs: Yjs was already imported|^watch-together: .*"rooms".*instance of a class/

// What a handler throws reaches no client, so nothing above would have noticed it.
it('none of them has logged an error or a warning', async () => {
  const lines: string[] = []
  for (const { appid } of (await platform.admin('GET', '/apps?limit=100')).json.items) {
    const { items } = (await platform.admin('GET', `/apps/${appid}/logs?limit=1000`)).json
    for (const { level, message } of items) if (level === 'error' || level === 'warn') lines.push(`${appid}: ${message}`)
  }
  expect(lines.filter((line) => !EXPECTED.test(line))).toEqual([])
})
