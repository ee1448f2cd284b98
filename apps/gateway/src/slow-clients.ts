import type { App } from './app.ts'
import type { Connection } from './connection.ts'
import type { Gateway } from './context.ts'
import type { SendMemory } from './send-memory.ts'

/** Above the limit as much is freed as leaves it below this: those that wait are not looked at again for each message. */
const FREE_TO = 7 / 8
/** What clients that are being closed may keep, beside the limit, until they have read their close. */
const LEAVING_PART = 1 / 4

/** After more waits than before: API.md, Limits. */
export function afterHeld(app: App): void {
  const { gateway, limits, sendMemory } = app
  if (sendMemory.bytes > limits.sendBufferTotalBytes) closeLargest(sendMemory, limits.sendBufferTotalBytes, app.connections.values())
  const { sendBufferBytes } = gateway.settings
  if (gateway.sendMemory.bytes > sendBufferBytes) closeLargest(gateway.sendMemory, sendBufferBytes, connectionsOf(gateway))
}

function closeLargest(memory: SendMemory, limit: number, connections: Iterable<Connection>): void {
  const waiting = [...connections].filter(({ held }) => held !== null && (held.isLeaving || !held.isEmpty)).toSorted((a, b) => b.buffered - a.buffered)
  for (const connection of waiting) {
    if (memory.bytes <= limit * FREE_TO) break
    if (!connection.held!.isLeaving) connection.closeSlow()
  }
  // What stands before the close frame cannot be taken back: who has too much of it does not get to read it.
  for (const connection of waiting) {
    if (memory.leaving <= limit * LEAVING_PART) break
    if (connection.held!.isLeaving) connection.terminate()
  }
}

function* connectionsOf({ apps }: Gateway): Generator<Connection> {
  for (const app of apps.all()) yield* app.connections.values()
}
