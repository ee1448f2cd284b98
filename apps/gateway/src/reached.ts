import type { App } from './app.ts'

const TELL_EVERY_MS = 1_000

/** When the app's log was last told of a limit, and how often it was reached since. */
export interface Told {
  at: number
  since: number
}

/** The app has reached a limit: it is counted, and its log has a line about it, once in a second at most. `key` names the limit. */
export function reached(app: App, key: string, what: string): void {
  app.counters.limits[key] = (app.counters.limits[key] ?? 0) + 1
  const now = Date.now()
  const told = app.told[key]
  if (told !== undefined && now - told.at < TELL_EVERY_MS) {
    told.since++
    return
  }
  const more = told === undefined || told.since === 0 ? '' : `, and ${told.since} times more since the last line about it`
  app.told[key] = { at: now, since: 0 }
  const line = { time: now, level: 'warn' as const, function: '', requestId: '', connection: '', version: 0, message: `${what} (limit ${key}${more})` }
  app.gateway.pool.note('log', { app: app.number, line })
}
