import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DATA, enterDataFolder } from '@socklet/config'
import type { Loss } from '@socklet/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { chooseSandbox } from '../../src/pool/sandbox.ts'
import { Workers } from '../../src/pool/workers.ts'
import type { WorkerProcess } from '../../src/pool/worker-process.ts'
import { makeGuest } from '../../src/snapshot/index.ts'

/** Real workers, and in place of their gateway the end of a link that the test gives up. */
const before = process.cwd()
const links: Socket[] = []
const losses: Loss[] = []
/** Bytes: more than any worker here has, but in the one test. */
let aboveBytes = Infinity
const GROWN = { afterMs: 500, get aboveBytes() { return aboveBytes } }
let folder: string
let gateway: Server
let workers: Workers
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'socklet-lost-'))
  const guest = await makeGuest()
  enterDataFolder(folder)
  gateway = createServer((socket) => void links.push(socket.on('error', () => {}).resume())).listen(DATA.gatewaySocket(0))
  const nothing = (): void => {}
  workers = new Workers({
    count: 1,
    gateways: 1,
    program: guest.worker,
    snapshot: guest.snapshot,
    sandbox: await chooseSandbox('auto', nothing),
    memoryBytes: 2 ** 31,
    grown: GROWN,
    onMemory: nothing,
    onIdle: nothing,
    onDown: nothing,
    onLog: nothing,
    onReached: nothing,
    onCounted: nothing,
    onShared: nothing,
    onFetch: nothing,
    onLost: (_, loss) => void losses.push(loss),
    report: nothing
  })
})
afterAll(() => {
  workers.stop()
  gateway.close()
  process.chdir(before)
  rmSync(folder, { recursive: true })
})

async function lossAfter(end: (worker: WorkerProcess) => void): Promise<Loss> {
  workers.start()
  const worker = await workers.pick()
  end(worker)
  await expect.poll(() => losses.length, { timeout: 10_000 }).toBe(1)
  return losses.pop()!
}

// A worker that had lost a link ended itself as if somebody had killed it: whose turn that was was never asked, and the app went on to take one worker after the other.
it('a worker whose link a gateway gives up has crashed', async () => {
  expect(await lossAfter(() => links.pop()!.destroy())).toBe('crashed')
})

it('one that ends with its gateway has not, also where its own end is known first', async () => {
  expect(await lossAfter(() => {
    links.pop()!.destroy()
    workers.pause()
  })).toBe('killed')
  expect(await lossAfter(() => {
    links.pop()!.destroy()
    // The pool is kept from looking until it is gone.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
    setTimeout(() => workers.pause(), 5)
  })).toBe('killed')
})

it('one that somebody kills from outside has not', async () => {
  expect(await lossAfter(({ pid }) => void process.kill(pid, 'SIGKILL'))).toBe('killed')
  expect(await lossAfter(({ pid }) => void process.kill(pid, 'SIGSEGV'))).toBe('crashed')
})

/** It kept what its apps had needed for ever: after a day of work a platform at rest had as much memory as at its busiest. */
it('one that has grown and holds nothing any more is replaced, without a time in which there is none and as no loss', async () => {
  workers.start()
  const used = await workers.pick()
  const { restarts } = workers
  used.take(1)
  aboveBytes = 1024
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  expect(workers.all).toEqual([used])
  expect(used.rssBytes).toBeGreaterThan(10_000_000)
  used.apps.clear()
  // The first time there is a spare one, the second time it has to be started for this.
  for (const worker of [used, null]) {
    const grown = worker ?? workers.all[0]!
    await expect.poll(() => workers.all.length === 1 && workers.all[0] === grown, { timeout: 10_000, interval: 1 }).toBe(false)
    expect(workers.all.map(({ alive }) => alive)).toEqual([true])
  }
  aboveBytes = Infinity
  await expect.poll(() => used.alive).toBe(false)
  expect(losses).toEqual([])
  expect(workers.restarts).toBe(restarts)
})
