import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect, type Client } from './support/client.ts'
import { LONG } from './support/long.ts'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

const APPS = 10
const CLIENTS = LONG ? 1_000 : 200
const SECONDS = LONG ? 60 : 6
/** Of each client. */
const SEND_EVERY_MS = 1_000
/** More than a worker runs turns of, so that those wait for each other and their results leave together (areCrowded). */
const CROWD = 60
const IN_FLIGHT = 3
const CROWD_SECONDS = LONG ? 20 : 3
/** For a message that is delivered again. */
const MORE_MS = 30_000

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '2'] })
})
afterAll(() => platform.close())

const ECHO = `
  export async function main({ method, params, socket, requestId, redelivered }) {
    if (method !== 'WebSocket:message') return
    const text = params.data.toString()
    // As it came: it does not travel back from the worker.
    if (text.length > 1024) socket.send(text)
    await null
    socket.send(text.split(' ')[0] + ' ' + requestId + (redelivered ? ' again' : ''))
  }`

interface Talk {
  client: Client
  sent: number
  /** Request ids by number. */
  ids: string[]
  /** Numbers of the long messages that came back. */
  whole: Set<number>
  problems: string[]
  again: number
}

/** One of three is long. */
const isLong = (number: number): boolean => number % 3 === 0
const textOf = (number: number): string => (isLong(number) ? `${number} `.padEnd(2_000, '.') : String(number))

function talk(client: Client): Talk {
  const one: Talk = { client, sent: 0, ids: [], whole: new Set(), problems: [], again: 0 }
  client.ws.on('close', (code) => one.problems.push(`closed with ${code}`))
  client.ws.on('message', (data) => {
    const [text, id, again] = String(data).split(' ') as [string, string, string?]
    const number = Number(text)
    if (String(data).length > 1_024) {
      if (String(data) !== textOf(number)) one.problems.push(`${number} came back as ${String(data).slice(0, 20)}`)
      one.whole.add(number)
      return
    }
    if (isLong(number) && !one.whole.has(number)) one.problems.push(`${number} did not come back before its answer`)
    if (again !== undefined) one.again++
    if (number > one.ids.length) one.problems.push(`${number} is answered before ${one.ids.length}`)
    if (number < one.ids.length && one.ids[number] !== id) one.problems.push(`${number} was ${one.ids[number]}, and then ${id}`)
    one.ids[number] = id
  })
  return one
}

async function holders(): Promise<number[]> {
  return (await platform.processes('worker')).filter(({ apps }) => apps.length > 0).map(({ pid }) => pid)
}

const againIn = (talks: Talk[]): number => talks.reduce((sum, { again }) => sum + again, 0)

/**
 * A worker each second, until the time is over. Returns how many. Not every kill hits a message on its way, and on a busy machine none of three did once: it goes on until one
 * was delivered again, or for so long that it never will be.
 */
async function killWorkers(seconds: number, talks: Talk[]): Promise<number> {
  const killed = new Set<number>()
  const end = Date.now() + seconds * 1_000
  for (; Date.now() < end || (againIn(talks) === 0 && Date.now() < end + MORE_MS); await sleep(1_000)) {
    const alive = (await holders()).filter((pid) => !killed.has(pid))
    const victim = alive[Math.floor(Math.random() * alive.length)]
    if (victim === undefined) continue
    process.kill(victim, 'SIGKILL')
    killed.add(victim)
  }
  return killed.size
}

async function expectAllAnswered(talks: Talk[], appid: string): Promise<void> {
  await until('every message is answered', () => talks.every(({ sent, ids }) => ids.length === sent && ids.every((id) => id !== undefined)), 60_000)
  expect(talks.flatMap(({ problems }) => problems).slice(0, 10)).toEqual([])
  expect(againIn(talks)).toBeGreaterThan(0)
  expect((await platform.admin('GET', `/apps/${appid}/logs?level=error`)).json.items).toEqual([])
  for (const { client } of talks) client.ws.removeAllListeners('close').terminate()
}

it(`${CLIENTS} connections of ${APPS} apps notice nothing of a worker's death every second, for ${SECONDS} s`, { timeout: 120_000 + SECONDS * 2_000 }, async () => {
  const appids = Array.from({ length: APPS }, (_, index) => `steady-${index}`)
  for (const appid of appids) await platform.app(appid, { __websocket__: ECHO })
  const talks: Talk[] = []
  for (let at = 0; at < CLIENTS; at += 50) talks.push(...(await Promise.all(Array.from({ length: Math.min(50, CLIENTS - at) }, (_, index) => connect(platform.url(appids[(at + index) % APPS]!))))).map(talk))
  const sending = talks.map((one, index) => {
    const send = (): void => one.client.send(textOf(one.sent++))
    let timer = setTimeout(() => {
      send()
      timer = setInterval(send, SEND_EVERY_MS)
    }, (index / CLIENTS) * SEND_EVERY_MS)
    return () => clearTimeout(timer)
  })
  const killed = await killWorkers(SECONDS, talks)
  for (const stop of sending) stop()
  expect(killed).toBeGreaterThan(SECONDS / 3)
  await expectAllAnswered(talks, appids[0]!)
})

it(`${CROWD} apps whose clients send as fast as they are answered do not either, for ${CROWD_SECONDS} s`, { timeout: 120_000 + CROWD_SECONDS * 2_000 }, async () => {
  const appids = Array.from({ length: CROWD }, (_, index) => `crowd-${index}`)
  for (const appid of appids) await platform.app(appid, { __websocket__: ECHO })
  const talks = (await Promise.all(appids.map((appid) => connect(platform.url(appid))))).map(talk)
  let running = true
  for (const one of talks) {
    const send = (): void => one.client.send(textOf(one.sent++))
    one.client.ws.on('message', () => {
      if (!running) return
      // Not one for each answer: some come twice.
      while (one.sent - one.ids.length < IN_FLIGHT) send()
    })
    send()
  }
  const killed = await killWorkers(CROWD_SECONDS, talks)
  running = false
  expect(killed).toBeGreaterThan(CROWD_SECONDS / 3)
  await expectAllAnswered(talks, appids[0]!)
})
