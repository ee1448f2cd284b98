import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform, type Process } from './support/platform.ts'
import { until } from './support/until.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '1'] })
})
afterAll(() => platform.close())

/** Late, so that some are always under way; with a count that must not go back. */
const COUNT = `
  import cloud from '@lafjs/cloud'
  export async function main({ method, params, socket }) {
    if (method !== 'WebSocket:message') return
    await new Promise((resolve) => setTimeout(resolve, 2))
    const n = await cloud.shared.update('n', (n = 0) => n + 1)
    socket.send(params.data.toString() + ' ' + n)
  }`

const workers = (): Promise<Process[]> => platform.processes('worker')
async function dedicate(appid: string, dedicatedWorker: 0 | 1): Promise<void> {
  const { status, json } = await platform.admin('PATCH', `/apps/${appid}`, { limits: { dedicatedWorker } })
  expect(status).toBe(200)
  expect(json.limits.dedicatedWorker).toBe(dedicatedWorker)
}

it('an app gets a worker of its own and loses it again under traffic: nothing is closed, no message is lost', { timeout: 120_000 }, async () => {
  await platform.app('alone', { __websocket__: COUNT })
  await platform.app('other', { __websocket__: COUNT })
  const clients = await Promise.all(['alone', 'other'].map((appid) => connect(platform.url(appid))))
  const answers: string[][] = clients.map(() => [])
  clients.forEach(({ ws }, index) => ws.on('message', (data) => answers[index]!.push(String(data))))
  let sent = 0
  const sending = setInterval(() => {
    for (const client of clients) client.send(String(sent))
    sent++
  }, 3)
  const go = async (): Promise<void> => {
    const before = answers.map(({ length }) => length)
    await until('answers come', () => answers.every(({ length }, index) => length > before[index]! + 30))
  }
  await go()
  const shared = await until('both are in one worker', async () => (await workers()).find(({ apps }) => apps.length === 2))

  for (let round = 0; round < 2; round++) {
    await dedicate('alone', 1)
    const own = (await platform.holder('alone'))!
    expect(own.pid).not.toBe(shared.pid)
    expect(own.apps).toEqual(['alone'])
    expect((await platform.holder('other'))!.pid).toBe(shared.pid)
    await go()
    await dedicate('alone', 0)
    expect((await platform.holder('alone'))!.pid).toBe(shared.pid)
    await until('its worker is gone', async () => (await workers()).every(({ pid }) => pid !== own.pid))
    await go()
  }

  clearInterval(sending)
  await until('all are answered', () => answers.every(({ length }) => length === sent))
  for (const got of answers) {
    expect(got.map((answer) => Number(answer.split(' ')[0]))).toEqual(Array.from({ length: sent }, (_, index) => index))
    // One that was under way when the isolate was put away is handled again, as after a restart: it may count twice.
    const counts = got.map((answer) => Number(answer.split(' ')[1]))
    expect(counts).toEqual([...new Set(counts)].toSorted((a, b) => a - b))
  }
  expect(clients.every(({ ws }) => ws.readyState === ws.OPEN)).toBe(true)
  await Promise.all(clients.map((client) => client.close()))
})

it('no other app ever comes into that worker, not even while its app is asleep or has crashed, and each has another', { timeout: 120_000 }, async () => {
  const appids = ['one', 'two', 'three']
  for (const appid of appids) await platform.app(appid, { __websocket__: COUNT })
  await dedicate('one', 1)
  await dedicate('two', 1)
  const clients = await Promise.all(appids.map((appid) => connect(platform.url(appid))))
  const ask = async (): Promise<void> => {
    for (const client of clients) client.send('x')
    for (const client of clients) expect(await client.next()).toMatch(/^x /)
  }
  await ask()
  const pids = await Promise.all(appids.map(async (appid) => (await platform.holder(appid))?.pid))
  expect(new Set(pids).size).toBe(3)
  await platform.admin('PATCH', '/apps/one', { limits: { idleMs: 100 } })
  await until('one sleeps', async () => (await platform.admin('GET', '/apps/one/stats')).json.hibernated)
  // Its process waits for it.
  expect((await workers()).find(({ pid }) => pid === pids[0])?.apps).toEqual([])
  const { status } = await platform.admin('POST', '/apps/two/restart')
  expect(status).toBe(200)
  await platform.app('four', { __websocket__: COUNT })
  await dedicate('four', 1)
  const fourth = await connect(platform.url('four'))
  fourth.send('x')
  expect(await fourth.next()).toBe('x 1')
  expect(pids).not.toContain((await platform.holder('four'))!.pid)
  await ask()
  // It may be asleep again.
  expect((await workers()).find(({ pid }) => pid === pids[0])?.apps.filter((appid) => appid !== 'one')).toEqual([])
  expect((await platform.holder('two'))?.pid).toBe(pids[1])

  const before = (await platform.holder('two'))!.pid
  process.kill(before, 'SIGKILL')
  await until('two is elsewhere', async () => ((await platform.holder('two'))?.pid ?? before) !== before)
  await ask()
  for (const { apps } of await workers()) expect(apps.filter((appid) => ['one', 'two', 'four'].includes(appid)).length === 0 || apps.length === 1).toBe(true)
  for (const client of [...clients, fourth]) await client.close()
})

it('its functions are tried in a process where those of no other app are', { timeout: 60_000 }, async () => {
  for (const appid of ['tried', 'secret']) {
    await platform.app(appid, { __websocket__: COUNT })
    await platform.admin('PATCH', `/apps/${appid}`, { limits: { turnCpuMs: 10_000 } })
  }
  await dedicate('secret', 1)
  const trials = async (): Promise<number[]> => (await platform.processes('trial')).map(({ pid }) => pid)
  const before = await trials()
  expect(before.length).toBe(1)
  const slow = `for (const end = Date.now() + 800; Date.now() < end; );\n${COUNT}`
  const publish = (appid: string): Promise<{ status: number }> => platform.admin('PUT', `/apps/${appid}/functions/__websocket__`, slow)
  for (const [appid, processes] of [['tried', 1], ['secret', 2]] as const) {
    let most = 0
    let status = 0
    const publishing = publish(appid).then((answer) => (status = answer.status))
    await until('it is published', async () => {
      most = Math.max(most, (await trials()).length)
      return status
    })
    expect(await publishing).toBe(200)
    expect(most).toBe(processes)
  }
  await until('the process is gone', async () => (await trials()).length === 1)
  expect(await trials()).toEqual(before)
})

/** Processes that this one has started. */
const childrenOf = (pid: number): number[] => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended since it was listed.
  }
}

it('an app whose own worker does not start goes on with its next event, wherever it can', { timeout: 60_000 }, async () => {
  await platform.app('moved', { __websocket__: COUNT })
  const client = await connect(platform.url('moved'))
  client.send('before')
  expect(await client.next()).toBe('before 1')
  const pool = (await platform.processes('pool'))[0]!.pid
  await until('there is a spare worker', async () => (await platform.processes('spare')).length > 0)
  const known = new Set(childrenOf(pool))
  const killing = setInterval(() => {
    for (const pid of childrenOf(pool)) if (!known.has(pid)) endIfThere(pid)
  }, 2)
  // The spare one may be taken for it: then it is the next that dies, and this is stored and done.
  const { status } = await platform.admin('PATCH', '/apps/moved', { limits: { dedicatedWorker: 1 } })
  client.send('meanwhile')
  clearInterval(killing)
  expect([200, 503]).toContain(status)
  expect(await client.next()).toBe('meanwhile 2')
})
