import type { Gateway } from './context.ts'

/** What was sent leaves: once for each read from a link, one write for each connection, as many at a time as its app may. */
export function flushTouched(gateway: Gateway): void {
  for (const connection of gateway.touched) connection.app.writing.write(connection)
  gateway.touched.length = 0
}
