import { readFileSync } from 'node:fs'
import { PROTOCOL_VERSION } from '@socklet/protocol'
import { expect, it } from 'vitest'
import { chooseSandbox } from '../../src/pool/sandbox.ts'
import { startWorker, type WorkerProcess } from '../../src/pool/worker-process.ts'
import { makeGuest } from '../../src/snapshot/index.ts'

const guest = await makeGuest()
const sandbox = await chooseSandbox('auto', () => {})

function start(program: string, snapshot: Uint8Array = guest.snapshot): Promise<WorkerProcess> {
  const nothing = (): null => null
  return startWorker({
    index: 1,
    gateways: 0,
    turns: 1,
    program,
    snapshot,
    sandbox,
    memory: { bytes: 2 ** 31, onOver: nothing },
    handlers: { down: nothing, idle: nothing, tainted: nothing },
    onFrame: nothing,
    onExit: nothing
  })
}

/** Processes that this one has started. */
const children = (): string => readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')

// A worker is started with the program of its own pool. Where that is not so, it must not be taken for one that is slow.
it('a worker that speaks another version of the protocol says so, and is not kept', async () => {
  const before = children()
  const other = guest.worker.replace(`PROTOCOL_VERSION = ${PROTOCOL_VERSION};`, `PROTOCOL_VERSION = ${PROTOCOL_VERSION + 1};`)
  expect(other).not.toBe(guest.worker)
  await expect(start(other)).rejects.toThrow(`worker 1 did not start: the pool speaks version ${PROTOCOL_VERSION}, this worker ${PROTOCOL_VERSION + 1}`)
  await expect.poll(children).toBe(before)
  const same = await start(guest.worker)
  expect(await same.control.call('ping', null)).toBe(null)
  same.kill()
  await expect.poll(children).toBe(before)
})
