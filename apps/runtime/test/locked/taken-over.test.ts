import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Flag, FrameError, FrameType, encodeFrame, readHead, type FrameHead } from '@socklet/protocol'
import { Op, openSharedStore, type SharedStore } from '@socklet/shared'
import { RecordWriter } from '@socklet/shared/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Apps } from '../../src/pool/apps.ts'
import type { PoolApp } from '../../src/pool/app.ts'
import { SharedStates } from '../../src/pool/shared-states.ts'
import { onWorkerFrame } from '../../src/pool/worker-frames.ts'
import type { WorkerProcess } from '../../src/pool/worker-process.ts'

const MIB = 1024 * 1024

/** Two apps, each held by a worker of its own, and the real store behind. The worker of `mine` is the attacker. */
let folder: string
let store: SharedStore
let states: SharedStates
let answers: FrameHead[]
let attacker: WorkerProcess
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'socklet-taken-'))
  store = openSharedStore(join(folder, 'shared.db'))
  const mine = { appid: 'mine', dataName: 'mine', number: 7, route: { limits: { sharedBytes: MIB } } } as PoolApp
  const theirs = { appid: 'theirs', dataName: 'theirs', number: 8, route: { limits: { sharedBytes: MIB } } } as PoolApp
  const byNumber = new Map([mine, theirs].map((app) => [app.number, app]))
  states = new SharedStates({ store, apps: { byNumber: (number: number) => byNumber.get(number) } as unknown as Apps, report: () => {} })
  answers = []
  attacker = worker(7)
  states.give(mine, await states.open(mine), 3, attacker)
  states.give(theirs, await states.open(theirs), 4, worker(8))
})
afterEach(async () => {
  await states.close()
  rmSync(folder, { recursive: true })
})

function worker(app: number): WorkerProcess {
  return { apps: new Set([app]), send: (head: FrameHead) => void answers.push(head) } as unknown as WorkerProcess
}

function send(head: Partial<FrameHead>, payload: Uint8Array = new Uint8Array(0)): void {
  const bytes = encodeFrame({ type: FrameType.SHARED, flags: Flag.END, gateway: 0, app: 7, generation: 3, connection: 0, sequence: 1, ...head }, payload)
  expect(readHead(bytes, 0).type).toBe(FrameType.SHARED)
  states.onChange(attacker, bytes, 0, 24 + payload.byteLength)
}

async function answered(): Promise<FrameHead> {
  await expect.poll(() => answers.filter(({ type }) => type === FrameType.SHARED_DONE).length).toBe(1)
  return answers.find(({ type }) => type === FrameType.SHARED_DONE)!
}

describe('a worker that is taken over', () => {
  it('gets no answer, and writes nothing, for an app that another worker holds, whatever generation it names', async () => {
    for (let generation = 0; generation < 10; generation++) send({ app: 8, generation })
    send({ app: 99, generation: 1 })
    // What follows is answered after all of that would have been.
    send({ sequence: 2 })
    expect(await answered()).toMatchObject({ app: 7, sequence: 2, flags: 0 })
    expect(await store.copy('theirs')).toEqual([])
  })

  it('writes nothing for an earlier life of its own app', async () => {
    for (const generation of [0, 1, 2, 4, 0xffffffff]) send({ generation })
    send({ sequence: 2 })
    expect(await answered()).toMatchObject({ sequence: 2 })
  })

  it('is refused records that are none, and the lease ends with that', async () => {
    send({}, new Uint8Array(100).fill(0xff))
    expect(await answered()).toMatchObject({ app: 7, flags: Flag.FAILED })
    answers = []
    send({ sequence: 3 })
    send({ app: 8, generation: 4 })
    expect(answers).toEqual([])
  })

  it('is ended for more records than there can be, before any of them is looked up', () => {
    // Each deletes an entry that is not there: three bytes, and a question to the store.
    const records = new Uint8Array(3 * 1_000_000)
    for (let at = 0; at < records.length; at += 3) records.set([Op.DELETE, 0, 1], at)
    expect(() => send({}, records)).toThrow(FrameError)
    expect(answers.filter(({ type }) => type === FrameType.SHARED_DONE)).toEqual([])
  })

  it('may write ten thousand keys at once', async () => {
    const writer = new RecordWriter()
    for (let entry = 1; entry <= 10_000; entry++) writer.set(0, entry, Uint8Array.of(0x02, 2, 0x31, entry & 0x7f), Uint8Array.of(0))
    send({}, writer.finish())
    expect(await answered()).toMatchObject({ app: 7, flags: 0 })
  })

  it('cannot make the pool keep more than the quota in parts that never end', async () => {
    const part = new Uint8Array(MIB)
    for (let n = 0; n < 6; n++) send({ flags: 0 }, part)
    expect(await answered()).toMatchObject({ app: 7, flags: Flag.FAILED })
  })
})

describe('frames of a worker that is taken over', () => {
  it('reach nothing of an app that it does not hold: no log, no store, no mark of a turn', () => {
    const got: string[] = []
    const on = {
      onLog: (app: number) => void got.push(`log ${app}`),
      onShared: () => void got.push('shared'),
      onReached: () => void got.push('reached'),
      onCounted: () => void got.push('counted'),
      onFetch: () => void got.push('fetch')
    }
    const mine = { apps: new Set([7]), running: new Set<number>() } as unknown as WorkerProcess
    const give = (type: number, app: number): void => {
      const bytes = encodeFrame({ type, flags: 0, gateway: 0, app, generation: 1, connection: 0, sequence: 0 }, new Uint8Array(40))
      onWorkerFrame(mine, bytes, 0, bytes.byteLength, on)
    }
    for (const type of [FrameType.LOG, FrameType.SHARED, FrameType.REACHED, FrameType.COUNTED, FrameType.TURN, FrameType.SEND, FrameType.BLOB, 0, 255]) give(type, 8)
    expect(got).toEqual([])
    expect(mine.running.size).toBe(0)
    for (const type of [FrameType.LOG, FrameType.SHARED, FrameType.REACHED, FrameType.COUNTED, FrameType.TURN, FrameType.SEND]) give(type, 7)
    expect(got).toEqual(['log 7', 'shared', 'reached', 'counted'])
    expect([...mine.running]).toEqual([7])
  })
})
