import { z } from 'zod'
import type { AppStats } from '@socklet/protocol'
import { needApp } from './apps.ts'
import { ok, route, type Route } from './route.ts'
import { appParams } from './schemas.ts'

const count = z.int().min(0)

const statsSchema = z.object({
  connections: count,
  connectionsOpened: count,
  events: z.object({ connection: count, message: count, close: count, error: count, request: count }).meta({ description: 'events so far, by what they are' }),
  messagesOut: count,
  bytesIn: count,
  bytesOut: count,
  turns: count,
  errors: count.meta({ description: 'handlers that threw' }),
  queue: z.object({ events: count, bytes: count }).meta({ description: 'what is not settled' }),
  refused: z.record(z.string(), count).meta({ description: 'refused upgrades and requests, by status' }),
  cpuMs: z.number(),
  heapBytes: count,
  logLinesDropped: count,
  restarts: count.meta({ description: 'isolates that were started anew after one was lost' }),
  workerMemoryKills: count.meta({ description: 'times that its worker was ended because of its memory (option worker-memory-mib), while this app was in a turn or alone in it' }),
  limits: z.record(z.string(), count).meta({ description: 'how often limits were reached, by their key; beside those that can be set there are some that cannot (docs/counted-limits.md)' }),
  hibernated: z.boolean(),
  running: z.boolean().meta({ description: 'a turn runs at this moment' }),
  worker: z.int().nullable(),
  generation: count
})

function outward({ connections, traffic, counts, isolate, restarts, workerMemoryKills, limits, hibernated, worker, generation }: AppStats): z.input<typeof statsSchema> {
  const { connectionsOpened, events, messagesOut, bytesIn, bytesOut, queueEvents, queueBytes, refused } = traffic
  const { turns, errors, cpuMs, logLinesDropped } = counts
  const { heapBytes = 0, running = false } = isolate ?? {}
  return {
    connections,
    connectionsOpened,
    events,
    messagesOut,
    bytesIn,
    bytesOut,
    turns,
    errors,
    queue: { events: queueEvents, bytes: queueBytes },
    refused,
    cpuMs,
    heapBytes,
    logLinesDropped,
    restarts,
    workerMemoryKills,
    limits,
    hibernated,
    running,
    worker,
    generation
  }
}

export const statsRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/apps/:appid/stats',
    access: 'read',
    summary: 'Counters and gauges of the app',
    params: appParams,
    responses: { 200: statsSchema },
    errors: ['unavailable'],
    handle: async ({ params }, { catalog, pool }) => {
      await needApp(catalog, params.appid)
      return ok(outward(await pool.call('stats', params)))
    }
  }),
  route({
    method: 'post',
    path: '/v1/apps/:appid/restart',
    access: 'admin',
    summary: 'Give the app a fresh isolate; its connections stay',
    params: appParams,
    responses: { 200: z.object({ appid: z.string(), restarted: z.literal(true) }) },
    errors: ['unavailable'],
    handle: async ({ params }, { catalog, pool }) => {
      await needApp(catalog, params.appid)
      await pool.call('restart', params)
      return ok({ appid: params.appid, restarted: true })
    }
  })
]
