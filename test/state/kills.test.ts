import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect, type Client } from '../support/client.ts'
import { LONG } from '../support/long.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'

const KILLS = Number(process.env['SOCKLET_TEST_KILLS'] ?? (LONG ? 200 : 10))
const CLIENTS = 20

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '2'] })
})
afterAll(() => platform.close())

/**
 * Gives each message a token, and keeps it in three places: in a Map in `cloud.shared`, inside an array there, and in
 * `socket.data`, and joins a room for each. A message that comes again gets what is kept. So a client that has an answer whose state is gone
 * gets another token the second time, or hears that the message before has none.
 */
const TOKENS = `
  import cloud from '@lafjs/cloud'
  export async function main({ method, params, socket }) {
    if (method !== 'WebSocket:message') return
    const number = Number(params.data.toString())
    const byKey = cloud.shared.getOrInsertComputed('by key', () => new Map())
    const lists = cloud.shared.getOrInsertComputed('lists', () => new Map())
    const list = lists.get(socket.id) ?? []
    const key = socket.id + ' ' + number
    const again = byKey.has(key)
    const token = byKey.get(key) ?? Math.random().toString(36).slice(2)
    const before = { byKey: byKey.get(socket.id + ' ' + (number - 1)), list: list[number - 1], data: socket.data?.number === number ? 'same' : socket.data?.token }
    byKey.set(key, token)
    byKey.delete(socket.id + ' ' + (number - 5))
    list[number] = token
    if (!lists.has(socket.id)) lists.set(socket.id, list)
    socket.data = { number, token }
    const rooms = socket.rooms
    if (number > 0 && !rooms.has('room ' + (number - 1))) before.room = 'lost'
    socket.join('room ' + number)
    socket.leave('room ' + (number - 3))
    socket.send(JSON.stringify({ number, token, again, before }))
  }`

interface Answer {
  number: number
  token: string
  again: boolean
  before: { byKey?: string; list?: string; data?: string }
}

/** Sends numbers, at most a few ahead of the answers, and compares every answer with what was said before. */
function talk(client: Client): { stop(): Promise<number>; problems: string[]; repeated: () => number; answered: () => number } {
  const tokens: string[] = []
  const problems: string[] = []
  let sent = 0
  let stopped = false
  let repeated = 0
  const more = (): void => {
    if (stopped) return
    while (sent - tokens.length < 3) client.send(String(sent++))
  }
  client.ws.on('message', (data) => {
    const { number, token, again, before } = JSON.parse(String(data)) as Answer
    if (again) repeated++
    if (number < tokens.length && tokens[number] !== token) problems.push(`${number} was ${tokens[number]}, and is ${token}`)
    if (number > tokens.length) problems.push(`${number} is answered before ${tokens.length}`)
    for (const [where, kept] of Object.entries(number === 0 ? {} : before)) if (kept !== tokens[number - 1] && kept !== 'same') problems.push(`${number - 1} was ${tokens[number - 1]}, and ${where} has ${kept}`)
    for (const where of ['byKey', 'list', 'data'] as const) if (number > 0 && before[where] === undefined) problems.push(`${where} has nothing of ${number - 1}`)
    tokens[number] = token
    more()
  })
  more()
  return {
    problems,
    repeated: () => repeated,
    answered: () => tokens.length,
    stop: async () => {
      stopped = true
      await until('all is answered', () => tokens.length >= sent)
      return sent
    }
  }
}

it(`no client holds an answer whose state is gone, after ${KILLS} workers were killed at random`, { timeout: 60_000 + KILLS * 2_000 }, async () => {
  await platform.app('tokens', { __websocket__: TOKENS })
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(platform.url('tokens'))))
  const talks = clients.map(talk)
  let killed = 0
  const answered = (): number => talks.reduce((sum, one) => sum + one.answered(), 0)
  for (let last = 0; killed < KILLS; ) {
    const before = answered()
    await until('answers come', () => answered() > before + CLIENTS)
    const holder = await platform.holder('tokens')
    await sleep(Math.random() * 60)
    if (holder === undefined || holder.pid === last) continue
    last = holder.pid
    process.kill(last, 'SIGKILL')
    killed++
  }
  const counts = await Promise.all(talks.map((one) => one.stop()))
  expect(talks.flatMap(({ problems }) => problems).slice(0, 10)).toEqual([])
  expect(Math.min(...counts)).toBeGreaterThan(5)
  // Else nothing was killed in the middle of anything.
  expect(talks.reduce((sum, one) => sum + one.repeated(), 0)).toBeGreaterThan(0)
  expect(clients.every(({ ws }) => ws.readyState === ws.OPEN)).toBe(true)
  for (const { ws } of clients) ws.terminate()
})
