import type { App } from './app.ts'
import type { Gateway } from './context.ts'
import { Refusal } from './refuse.ts'

/**
 * The app that a request or an upgrade means, if it can be served. `soon` for an upgrade: an app that this gateway does not know is placed meanwhile.
 * @throws Refusal, or CallError when the pool does not answer.
 */
export async function findApp(gateway: Gateway, appid: string, soon = false): Promise<App> {
  if (gateway.stopping) throw new Refusal('unavailable', 'the platform is stopping')
  // A pool that was restarted is back within moments: a client waits for that, rather than being turned away.
  if (!(await gateway.pool.upWithin(gateway.times.poolBack))) throw new Refusal('unavailable')
  const app = await gateway.apps.find(appid, soon)
  if (app === null) throw new Refusal('app_not_found', `there is no app ${JSON.stringify(appid)}`)
  if (app.suspended) {
    const refusal = new Refusal('app_suspended')
    // Whoever asked does not get to know the app.
    app.countRefusal(refusal.status)
    throw refusal
  }
  return app
}
