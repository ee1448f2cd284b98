import type { App } from './app.ts'
import type { Connection } from './connection.ts'
import type { Gateway } from './context.ts'
import { reached } from './reached.ts'
import type { SendMemory } from './send-memory.ts'

/** Above the limit as much is freed as leaves it below this: those that wait are not looked at again for each message. */
const FREE_TO = 7 / 8
/** What clients that are being closed may keep, beside the limit, until they have read their close. */
const LEAVING_PART = 1 / 4

/** After more waits than before: docs/limits.md, `sendBufferBytes`. */
export function afterHeld(app: App): void {
  const { gateway, limits, sendMemory } = app
  if (sendMemory.bytes > limits.sendBufferTotalBytes) closeLargest(sendMemory, limits.sendBufferTotalBytes, app.connections.values(), 'sendBufferTotalBytes', 'of the app')
  const { sendBufferBytes } = gateway.settings
  if (gateway.sendMemory.bytes > sendBufferBytes) closeLargest(gateway.sendMemory, sendBufferBytes, connectionsOf(gateway), 'gatewaySendBuffer', 'of all apps')
}

function closeLargest(memory: SendMemory, limit: number, connections: Iterable<Connection>, key: string, whose: string): void {
  const waiting = [...connections].filter(({ held }) => held !== null && (held.isLeaving || !held.isEmpty)).toSorted((a, b) => b.buffered - a.buffered)
  for (const connection of waiting) {
    if (memory.bytes <= limit * FREE_TO) break
    if (connection.held!.isLeaving) continue
    reached(connection.app, key, `${connection.id} was closed with 1013: more than ${limit} bytes wait for clients ${whose}, most of them for those that are closed`)
    connection.closeSlow()
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
