import { z } from 'zod'
import { LOG_LEVELS, type LogEntry, type LogPage } from '@socklet/protocol'
import { EventStream } from '../event-stream.ts'
import type { Services } from '../services.ts'
import { needApp } from './apps.ts'
import { ok, route, type Answer, type Call, type Route } from './route.ts'
import { appParams, iso, limit, listing, number, time } from './schemas.ts'

/** The most that a reader who comes back gets of what it has missed: entries, and pages of the pool, which are short where entries are long. */
const MAX_MISSED = 1_000
const MAX_MISSED_PAGES = 4
/** What the places of stacks in sources are waited for. */
const STACKS_PATIENCE_MS = 2_000
/** Of what is older it is told how much there is, unless that is very much. */
const MAX_COUNTED_PAGES = 20

const entrySchema = z.object({
  id: z.int(),
  time,
  level: z.enum(LOG_LEVELS),
  function: z.string().meta({ description: "empty for the platform's own lines" }),
  requestId: z.string(),
  connection: z.string().optional(),
  version: z.int(),
  message: z.string()
})

const query = z.strictObject({
  limit,
  before: number(1, Number.MAX_SAFE_INTEGER).optional().meta({ description: 'only entries that are older than the one with this id: `nextCursor` of the page before' }),
  level: z.enum(LOG_LEVELS).optional().meta({ description: 'this level and graver ones' }),
  function: z.string().min(1).max(256).optional(),
  requestId: z.string().min(1).max(256).optional(),
  connection: z.string().min(1).max(256).optional()
})

type Filter = Omit<z.output<typeof query>, 'limit' | 'before'>
type LogCall = Call<z.output<typeof appParams>, z.output<typeof query>, unknown>

function outward({ id, time: at, level, function: name, requestId, connection, version, message }: LogEntry): z.input<typeof entrySchema> {
  return { id, time: iso(at), level, function: name, requestId, ...(connection === '' ? {} : { connection }), version, message }
}

export const logRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/apps/:appid/logs',
    access: 'read',
    summary: "The app's log, newest first, or its live tail",
    doc:
      'Stacks in messages name lines and columns of the sources. With `Accept: text/event-stream` entries come as they are logged, each as the data of an event with its id; `Last-Event-ID` first brings what was missed since, the newest 1,000 of it. ' +
      'Where entries are left out, of those or because the reader is too slow, an event `dropped` has their count. The stream ends when the app is deleted or the token ceases to be valid.',
    params: appParams,
    query,
    responses: { 200: listing(entrySchema) },
    errors: ['busy', 'unavailable'],
    handle: async (call, services) => {
      await needApp(services.catalog, call.params.appid)
      if (call.req.method === 'GET' && call.req.accepts(['application/json', 'text/event-stream']) === 'text/event-stream') {
        await tail(call, services)
        return undefined
      }
      return await page(call, services)
    }
  })
]

async function page({ params: { appid }, query: { limit: wanted, ...filter } }: LogCall, { pool, stacks }: Services): Promise<Answer> {
  const { items, next } = await pool.call('logs', { appid, limit: wanted, ...filter })
  const readable = await stacks.readable(appid, items, STACKS_PATIENCE_MS)
  return ok({ items: readable.map(outward), ...(next === undefined ? {} : { nextCursor: String(next) }) })
}

async function tail({ params, query: filter, req, res }: LogCall, services: Services): Promise<void> {
  const { appid } = params
  const lastId = Number(req.headers['last-event-id'] ?? Number.NaN)
  /** What comes while the missed entries are being read waits here, and of what is too much the id. */
  let early: LogEntry[] | null = []
  const tooMuch: number[] = []
  let stream: EventStream | undefined
  const send = (entries: LogEntry[]): void => entries.forEach((entry) => stream!.send(outward(entry), entry.id))
  const onEntries = (all: LogEntry[]): void => {
    const entries = all.filter((entry) => matches(entry, filter))
    if (early === null) return send(entries)
    const room = MAX_MISSED - early.length
    early.push(...entries.slice(0, room))
    tooMuch.push(...entries.slice(room).map(({ id }) => id))
  }
  const leave = await services.tails.follow(appid, {
    onEntries,
    onEnd: () => (stream === undefined ? res.destroy() : stream.end())
  })
  const heartbeat = setInterval(() => void beat(req.headers.authorization, appid, stream, services), services.heartbeatMs)
  const end = (): void => {
    clearInterval(heartbeat)
    leave()
  }
  res.once('close', end)
  if (res.closed) return end()
  const missed = Number.isSafeInteger(lastId) && lastId >= 0 ? await missedSince(appid, lastId, filter, services) : { entries: [], older: 0 }
  stream = new EventStream(res)
  stream.leaveOut(missed.older)
  send(await services.stacks.readable(appid, missed.entries, STACKS_PATIENCE_MS))
  const newest = missed.entries.at(-1)?.id ?? -1
  send(early.filter(({ id }) => id > newest))
  stream.leaveOut(tooMuch.filter((id) => id > newest).length)
  early = null
}

/** The newest entries since that one, oldest first, and how many older ones there are, as far as they are counted. */
async function missedSince(appid: string, lastId: number, { level, function: name, requestId, connection }: Filter, { pool }: Services): Promise<{ entries: LogEntry[]; older: number }> {
  const missed: LogEntry[] = []
  let older = 0
  let before: number | undefined
  for (let pages = 0; pages < MAX_COUNTED_PAGES; pages++) {
    const { items, next }: LogPage = await pool.call('logs', { appid, limit: MAX_MISSED, before, level, function: name, requestId, connection })
    const newer = items.filter(({ id }) => id > lastId)
    const taken = pages < MAX_MISSED_PAGES ? newer.slice(0, MAX_MISSED - missed.length) : []
    missed.push(...taken)
    older += newer.length - taken.length
    before = next
    if (before === undefined || newer.length < items.length) break
  }
  return { entries: missed.toReversed(), older }
}

function matches(entry: LogEntry, filter: Filter): boolean {
  if (filter.level !== undefined && LOG_LEVELS.indexOf(entry.level) < LOG_LEVELS.indexOf(filter.level)) return false
  if (filter.function !== undefined && entry.function !== filter.function) return false
  if (filter.requestId !== undefined && entry.requestId !== filter.requestId) return false
  return filter.connection === undefined || entry.connection === filter.connection
}

/** Keeps the stream alive as long as whoever opened it could open it again. */
async function beat(authorization: string | undefined, appid: string, stream: EventStream | undefined, { auth, catalog }: Services): Promise<void> {
  try {
    auth.allow(await auth.authenticate(authorization), 'read', appid)
    await needApp(catalog, appid)
    stream?.comment('heartbeat')
  } catch {
    stream?.end()
  }
}
