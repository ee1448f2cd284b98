import { afterEach, expect, test } from 'vitest'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

let platform: Platform
afterEach(() => platform.stop())

const CLIENTS = 60
const INTERVAL_MS = 600

/** 20,000 pings in one turn, and their answers, would keep everybody else waiting for tens of milliseconds. */
test('pings are spread over their interval, and each client gets one in each', async () => {
  platform = await startPlatform({ times: { heartbeat: INTERVAL_MS } })
  await platform.app('demo', 7)
  const pings: number[][] = []
  for (let n = 0; n < CLIENTS; n++) {
    const times: number[] = []
    pings.push(times)
    const { ws } = await platform.open('/demo')
    ws.on('ping', () => times.push(performance.now()))
  }
  const from = performance.now()
  await until(() => pings.every((times) => times.filter((time) => time >= from).length >= 2))
  const firsts = pings.map((times) => times.find((time) => time >= from)!)
  expect(Math.max(...firsts) - Math.min(...firsts)).toBeGreaterThan(INTERVAL_MS / 2)
  const between = pings.map((times) => times.at(-1)! - times.at(-2)!)
  expect(Math.min(...between)).toBeGreaterThan(INTERVAL_MS / 2)
})
