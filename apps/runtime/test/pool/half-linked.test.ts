import { mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DATA, enterDataFolder } from '@socklet/config'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { NO_SANDBOX } from '../../src/pool/sandbox.ts'
import { startWorker } from '../../src/pool/worker-process.ts'

const before = process.cwd()
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'socklet-half-'))
  enterDataFolder(folder)
})
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true })
})

/** The pool held the connection to the gateway that was there for ever, and that gateway a link to a worker that never was: a descriptor of each with every death of the other. */
it('a worker that cannot be linked with all gateways leaves no connection to any', async () => {
  const links: Socket[] = []
  const gateway = createServer((socket) => void links.push(socket.resume())).listen(DATA.gatewaySocket(0))
  const nothing = (): never => {
    throw new Error('no worker was started')
  }
  const started = startWorker({
    index: 7,
    gateways: 2,
    turns: 1,
    program: '',
    snapshot: new Uint8Array(),
    sandbox: NO_SANDBOX,
    memory: { bytes: 2 ** 31, onOver: nothing },
    handlers: { down: nothing, idle: nothing, tainted: nothing },
    onFrame: nothing,
    onExit: nothing
  })
  await expect(started).rejects.toThrow(/^worker 7 did not start: connect ENOENT run\/gateway-1\.sock/)
  await expect.poll(() => links.length).toBe(1)
  await expect.poll(() => links[0]!.destroyed).toBe(true)
  gateway.close()
  await once(gateway, 'close')
})
