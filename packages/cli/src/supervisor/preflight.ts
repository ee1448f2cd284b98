import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { DATA, LISTENERS, listenProblem, type Options } from '@socklet/config'

/*
 * What most often keeps a platform from starting is looked for before any of its processes is there: one line says it
 * then, where a process that fails would leave the stack of an error.
 */

/** Processes of a platform that was killed may be about to end. */
const BUSY_MS = 5_000

/**
 * Looks into the databases of the data folder, in which the process has to be. What is not there yet will be made.
 * @throws Error that names the file which cannot be read
 */
export function checkDatabases(options: Options): void {
  const files = [...(options['mongodb-url'] === null ? [DATA.catalog] : []), DATA.logs, DATA.shared]
  for (const file of files.filter((path) => existsSync(path))) {
    try {
      readSchema(file)
    } catch (error) {
      throw new Error(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
    }
  }
}

/** An empty file is a database, too. */
function readSchema(file: string): void {
  const db = new DatabaseSync(file, { timeout: BUSY_MS })
  try {
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
  } finally {
    db.close()
  }
}

/** What keeps the gateways or the console from listening, or null. Both at once: they may have been given the same port. */
export async function portProblem(options: Options): Promise<string | null> {
  const servers: Server[] = []
  try {
    for (const listener of ['gateway', 'console'] as const) {
      const { host, port } = LISTENERS[listener]
      try {
        await tryListening(servers, { host: options[host], port: options[port] })
      } catch (error) {
        const problem = listenProblem(error, listener, options)
        // Anything else the process itself will meet.
        if (problem !== null) return problem
      }
    }
    return null
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  }
}

async function tryListening(servers: Server[], where: { host: string; port: number }): Promise<void> {
  const server = createServer((socket) => socket.destroy())
  server.listen(where)
  await once(server, 'listening')
  servers.push(server)
}
