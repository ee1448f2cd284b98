import { once } from 'node:events'
import type { ListenOptions, Server } from 'node:net'

const REPORT_EVERY_MS = 1_000

/**
 * Settles when the server listens; rejects if it cannot. What fails after that is to accept somebody (EMFILE: descriptors have run out), and those who are
 * connected stay: `report` hears of it, once a second at most, for it is clients who bring it about.
 */
export async function listen(server: Server, where: ListenOptions, report: (error: Error) => void): Promise<void> {
  server.listen(where)
  await once(server, 'listening')
  let reportedAt = -REPORT_EVERY_MS
  server.on('error', (error) => {
    if (performance.now() - reportedAt < REPORT_EVERY_MS) return
    reportedAt = performance.now()
    report(error)
  })
}
