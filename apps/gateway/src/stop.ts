import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Gateway } from './context.ts'
import { closeAll } from './forget.ts'
import { Refusal } from './refuse.ts'

const CHECK_MS = 20
/** The runtime is given so long to store what its apps have changed last. */
const STORE_MS = 3_000

/**
 * Stops accepting, closes the clients with 1001 and waits until the functions have handled what they were sent,
 * their close events among it. Clients that do not answer the close are ended at half time, so that theirs are handled too.
 */
export async function stopGateway(gateway: Gateway, server: Server, graceMs: number): Promise<void> {
  const end = Date.now() + graceMs
  gateway.stopping = true
  server.close()
  server.closeIdleConnections()
  for (const app of gateway.apps.all()) {
    closeAll(app, 1001, 'the platform is stopping')
    for (const upgrade of app.upgrades.values()) upgrade.refuse(new Refusal('unavailable', 'the platform is stopping'))
  }
  await until(() => !anyOpen(gateway), Date.now() + graceMs / 2)
  for (const app of gateway.apps.all()) for (const connection of app.connections.values()) connection.terminate()
  await until(() => isSettled(gateway), end)
  // Without its links the apps' workers end: first they store what they have.
  await Promise.race([gateway.pool.call('stopping', null).catch(() => {}), sleep(Math.max(0, end - Date.now()) + STORE_MS)])
  gateway.heartbeat.stop()
  gateway.rates.stop()
  gateway.links.close()
  gateway.pool.stop()
  server.closeAllConnections()
}

async function until(done: () => boolean, end: number): Promise<void> {
  while (!done() && Date.now() < end) await sleep(CHECK_MS)
}

function anyOpen({ apps }: Gateway): boolean {
  return [...apps.all()].some((app) => app.open > 0)
}

function isSettled(gateway: Gateway): boolean {
  return !anyOpen(gateway) && [...gateway.apps.all()].every((app) => app.outbox.count === 0 && app.requests.size === 0)
}
