import { renameSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Platform } from './platform.ts'
import { until } from './until.ts'

const TOLD = '"method":"appChanged"'

/** Stands between the console and the pool of a platform. */
export interface ConsoleLink {
  /** Does this instead, when the console has stored the change that `request` makes and tells the pool of it. Nothing that the console says is heard from then on. */
  insteadOfTelling(request: () => Promise<unknown>, act: () => Promise<void>): Promise<void>
  /** Kills the console when it has stored the change that `request` makes, before the pool hears of it. Settles when there is another console. */
  killBeforeItTells(request: () => Promise<unknown>): Promise<void>
  close(): void
}

/** Takes the place of the pool's socket; the console is killed, so that the next one comes here. */
export async function standBetween(platform: Platform): Promise<ConsoleLink> {
  const path = join(platform.data, 'run/pool.sock')
  const behind = join(platform.data, 'run/behind.sock')
  renameSync(path, behind)
  let instead: (() => Promise<void>) | null = null
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
    let deaf = false
    from.on('data', (chunk) => {
      deaf ||= instead !== null && chunk.includes(TOLD)
      if (!deaf) return void to.write(chunk)
      void instead?.()
      instead = null
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const another = async (since: number): Promise<void> => {
    await until('there is another console', async () => links > since && (await isReady(platform)))
  }
  process.kill(await pidOf(platform), 'SIGKILL')
  await another(0)
  const insteadOfTelling: ConsoleLink['insteadOfTelling'] = async (request, act) => {
    let acted: Promise<void> | undefined
    instead = () => (acted = act())
    // It has no answer.
    await request().catch(() => {})
    await acted
  }
  return {
    insteadOfTelling,
    killBeforeItTells: async (request) => {
      const since = links
      const pid = await pidOf(platform)
      await insteadOfTelling(request, async () => void process.kill(pid, 'SIGKILL'))
      await another(since)
    },
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}

/** Whether there is a console that says so. */
export async function isReady(platform: Platform): Promise<boolean> {
  return (await fetch(`${platform.console}/readyz`).catch(() => null))?.status === 200
}

/** Of the console. */
async function pidOf(platform: Platform): Promise<number> {
  return (await platform.processes('console'))[0]!.pid
}
