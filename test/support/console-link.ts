import { renameSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Platform } from './platform.ts'
import { until } from './until.ts'

const TOLD = '"method":"appChanged"'

/** Stands between the console and the pool of a platform. */
export interface ConsoleLink {
  /** Kills the console when it has stored the change that `request` makes, before the pool hears of it. Settles when there is another console. */
  killBeforeItTells(request: () => Promise<unknown>): Promise<void>
  close(): void
}

/** Takes the place of the pool's socket; the console is killed, so that the next one comes here. */
export async function standBetween(platform: Platform): Promise<ConsoleLink> {
  const path = join(platform.data, 'run/pool.sock')
  const behind = join(platform.data, 'run/behind.sock')
  renameSync(path, behind)
  let armed = false
  let links = 0
  const sockets = new Set<Socket>()
  const server = createServer((from) => {
    links++
    const to = connect(behind)
    const end = (): void => {
      from.destroy()
      to.destroy()
    }
    for (const socket of [from, to]) sockets.add(socket.on('error', end).on('close', end))
    to.pipe(from)
    from.on('data', (chunk) => {
      if (!armed || !chunk.includes(TOLD)) return void to.write(chunk)
      armed = false
      void killConsole(platform)
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const another = async (since: number): Promise<void> => {
    await until('there is another console', async () => links > since && (await isReady(platform)))
  }
  await killConsole(platform)
  await another(0)
  return {
    killBeforeItTells: async (request) => {
      const since = links
      armed = true
      // It has no answer.
      await request().catch(() => {})
      await another(since)
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}

const isReady = async (platform: Platform): Promise<boolean> => (await fetch(`${platform.console}/readyz`).catch(() => null))?.status === 200

async function killConsole(platform: Platform): Promise<void> {
  const { json } = await platform.admin('GET', '/platform')
  process.kill(json.processes.find(({ kind }: { kind: string }) => kind === 'console').pid, 'SIGKILL')
}
