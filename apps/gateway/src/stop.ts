import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gateway } from './context.ts'
import { Pause } from './flow.ts'
import { closeAll } from './forget.ts'
import { Refusal } from './refuse.ts'

const CHECK_MS = 20
/** Shares of the time that stopping may take, at whose end each step has to be over: this process is ended when it is all gone. */
const HANDLED_BY = 0.7
const CLOSED_BY = 0.85
const STORED_BY = 0.95

/**
 * Stops accepting and reading, and waits until the functions have handled what has come, and what they answer has left. Then the clients are closed with
 * 1001, and their close events are handled too: those that do not answer the close are ended in the middle of the time that is left for it.
 */
export async function stopGateway(gateway: Gateway, server: Server, graceMs: number): Promise<void> {
  const start = Date.now()
  gateway.stopping = true
  server.close()
  server.closeIdleConnections()
  for (const app of gateway.apps.all()) {
    for (const upgrade of app.upgrades.values()) upgrade.refuse(stopping())
    for (const connection of app.connections.values()) connection.pause(Pause.STOPPING)
  }
  await until(() => isHandled(gateway), start + graceMs * HANDLED_BY)
  for (const app of gateway.apps.all()) {
    closeAll(app, 1001, 'the platform is stopping')
    for (const request of app.requests.values()) request.refuse(stopping())
  }
  await until(() => !anyOpen(gateway), start + graceMs * (HANDLED_BY + CLOSED_BY) / 2)
  for (const app of gateway.apps.all()) for (const connection of app.connections.values()) connection.terminate()
  await until(() => !anyOpen(gateway) && isHandled(gateway), start + graceMs * CLOSED_BY)
  // Without its links the apps' workers end: first they store what they have.
  await Promise.race([gateway.pool.call('stopping', null).catch(() => {}), sleep(Math.max(0, start + graceMs * STORED_BY - Date.now()))])
  gateway.heartbeat.stop()
  gateway.rates.stop()
  gateway.links.close()
  gateway.pool.stop()
  server.closeAllConnections()
}

function stopping(): Refusal {
  return new Refusal('unavailable', 'the platform is stopping')
}

async function until(done: () => boolean, end: number): Promise<void> {
  while (!done() && Date.now() < end) await sleep(CHECK_MS)
}

function anyOpen({ apps }: Gateway): boolean {
  return [...apps.all()].some((app) => app.open > 0)
}

/** What has come is handled, and answered. */
function isHandled({ apps }: Gateway): boolean {
  return [...apps.all()].every((app) => app.outbox.count === 0 && app.requests.size === 0)
}
