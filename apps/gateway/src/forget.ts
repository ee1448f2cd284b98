import type { App } from './app.ts'
import { forgetLeaving } from './farewell.ts'
import { afterFreed } from './flow.ts'
import { Refusal } from './refuse.ts'

const WHY = {
  deleted: { code: 1001, reason: 'the app was deleted', refusal: 'app_not_found' },
  suspended: { code: 1001, reason: 'the app is suspended', refusal: 'app_suspended' },
  failed: { code: 1011, reason: 'the app cannot run', refusal: 'unavailable' }
} as const

/** Nobody handles the app's events any more: its connections are closed, its requests answered, and what waits is dropped. */
export function forgetPeers(app: App, why: keyof typeof WHY): void {
  const { code, reason, refusal } = WHY[why]
  app.placementNews++
  app.placement = null
  app.attachment = null
  forgetLeaving(app)
  app.outbox.clear()
  app.queueFull = false
  app.gateway.waiting.held.delete(app)
  for (const connection of app.connections.values()) {
    connection.forgotten = true
    connection.closeByPlatform(code, reason)
    app.gateway.numbers.free(connection.number)
  }
  app.connections.clear()
  for (const request of app.requests.values()) {
    request.refuse(new Refusal(refusal))
    app.gateway.numbers.free(request.number)
  }
  app.requests.clear()
  for (const upgrade of app.upgrades.values()) {
    upgrade.refuse(new Refusal(refusal))
    app.gateway.numbers.free(upgrade.number)
  }
  app.upgrades.clear()
  afterFreed(app.gateway)
}

/** The app is suspended: its function may still handle the close events, if it is anywhere. */
export function closeAll(app: App, code: number, reason: string): void {
  for (const connection of app.connections.values()) connection.closeByPlatform(code, reason)
}
