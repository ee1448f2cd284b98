import { connect } from '../support/client.ts'
import type { Backend } from './backend.ts'
import { sourceOf } from './prelude.ts'
import type { Row, Session } from './row.ts'

/** A report that does not come fails its test sooner than the test's own time would. */
const REPORT_MS = 5_000

/** Runs the row's function and its client. Returns what was observed. */
export async function observe(backend: Backend, row: Row): Promise<unknown> {
  const running = await backend.run(sourceOf(row))
  try {
    const observer = await connect(running.url, { headers: { 'x-observer': 'yes' } })
    const client = await connect(running.url, { protocols: row.protocols })
    const report = async (): Promise<unknown> => JSON.parse(String(await observer.next(REPORT_MS)))
    const session: Session = {
      client,
      report,
      reports: async (count) => {
        const all: unknown[] = []
        while (all.length < count) all.push(await report().catch((error: Error) => Promise.reject(new Error(`${error.message}; before it: ${JSON.stringify(all)}`))))
        return all
      },
      command: (text) => observer.send(text),
      connect: () => connect(running.url),
      logs: running.logs
    }
    const observed = await (row.client ?? reported(row))(session)
    client.ws.terminate()
    observer.ws.terminate()
    return observed
  } finally {
    await running.stop()
  }
}

function reported({ expects }: Row): (session: Session) => Promise<unknown> {
  return (session) => session.reports((expects as unknown[]).length)
}
