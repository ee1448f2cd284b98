import { CONNECTIONS_PAGE_CHARACTERS, CallError, charactersOf, type ConnectionInfo, type PoolCallsOfConsole } from '@socklet/protocol'
import type { Apps } from './apps.ts'
import type { PoolApp } from './app.ts'
import type { Gateways } from './gateways.ts'

type Listing = PoolCallsOfConsole['connections']

/** The connections of an app, gateway after gateway: `cursor` is `<gateway>.<number of the last connection>`. */
export async function listConnections(apps: Apps, gateways: Gateways, params: Listing['params']): Promise<Listing['result']> {
  const app = await mustFind(apps, params.appid)
  const from = readCursor(params.cursor)
  const items: ConnectionInfo[] = []
  for (const index of gateways.indexes.filter((one) => one >= from.gateway)) {
    // From a full page on, the others are only asked whether they have any: at the end there is no cursor.
    const limit = charactersOf(items) < CONNECTIONS_PAGE_CHARACTERS ? params.limit - items.length : 0
    const after = index === from.gateway ? from.after : 0
    const page = await gateways.get(index)?.call('connections', { app: app.number, limit, after, ...(params.room === undefined ? {} : { room: params.room }) })
    items.push(...(page?.items ?? []))
    if (page?.next !== undefined) return { items, nextCursor: `${index}.${page.next}` }
  }
  return { items }
}

/** What the one gateway says that has the connection; undefined if none has. */
export function positive<T>(answers: T[]): T | undefined {
  return answers.find((answer) => answer !== null && answer !== false)
}

export async function mustFind(apps: Apps, appid: string): Promise<PoolApp> {
  const app = await apps.find(appid)
  if (app === null) throw new CallError('app_not_found', `there is no app ${JSON.stringify(appid)}`)
  return app
}

function readCursor(cursor: string | undefined): { gateway: number; after: number } {
  if (cursor === undefined) return { gateway: 0, after: 0 }
  const match = /^(\d{1,3})\.(\d{1,10})$/.exec(cursor)
  if (match === null) throw new CallError('invalid_cursor', `the cursor ${JSON.stringify(cursor)} is not one that a listing has given`)
  return { gateway: Number(match[1]), after: Number(match[2]) }
}
