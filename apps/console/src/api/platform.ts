import { z } from 'zod'
import type { ProcessInfo } from '@socklet/protocol'
import type { Snapshot } from '../metrics.ts'
import type { Services } from '../services.ts'
import { ok, route, type Route } from './route.ts'

const processSchema = z.object({
  kind: z.enum(['gateway', 'pool', 'console', 'worker', 'spare', 'trial']),
  index: z.int(),
  pid: z.int(),
  rssBytes: z.int(),
  uptimeSeconds: z.number(),
  restarts: z.int().optional().meta({ description: 'how often the supervisor has started it anew' }),
  apps: z.array(z.string()).optional().meta({ description: 'what a worker holds' })
})

const platformSchema = z.object({
  version: z.string(),
  uptimeSeconds: z.number(),
  ready: z.boolean(),
  sandbox: z.enum(['bwrap', 'none']).meta({ description: 'what workers run inside of (option sandbox)' }),
  workerRestarts: z.int().meta({ description: 'workers that have ended and were replaced' }),
  processes: z.array(processSchema),
  workers: z.array(processSchema).meta({ description: 'those of the processes that run apps' })
})

const health = z.object({ status: z.enum(['ok', 'unavailable']) })

async function processes({ pool, platform }: Services): Promise<ProcessInfo[]> {
  const own: ProcessInfo = { kind: 'console', index: 0, pid: process.pid, rssBytes: process.memoryUsage.rss(), uptimeSeconds: process.uptime() }
  const others = await pool.call('processes', null)
  const restarts = platform()?.restarts ?? {}
  return [...others.filter(({ kind }) => kind !== 'console'), own].map((one) => {
    const times = restarts[one.kind === 'gateway' ? `gateway-${one.index}` : one.kind]
    return times === undefined ? one : { ...one, restarts: times }
  })
}

/** Of the platform, if there is a supervisor to know of that. Seconds. */
function uptime({ platform }: Services): number {
  const state = platform()
  return state === null ? process.uptime() : Math.max(0, (Date.now() - state.since) / 1000)
}

async function snapshot(services: Services): Promise<Snapshot | null> {
  try {
    const [apps, all, { workerRestarts }] = await Promise.all([services.pool.call('allStats', null), processes(services), services.pool.call('runtime', null)])
    return { apps, processes: all, workerRestarts }
  } catch {
    // The console's own figures are worth having when the runtime is away, and that it is away is one.
    return null
  }
}

export const platformRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/platform',
    access: 'platform',
    summary: 'Version, uptime, processes, workers and what they hold',
    responses: { 200: platformSchema },
    errors: ['unavailable'],
    handle: async (_call, services) => {
      const [all, runtime] = await Promise.all([processes(services), services.pool.call('runtime', null)])
      const workers = all.filter(({ kind }) => kind === 'worker')
      return ok({ version: services.version, uptimeSeconds: uptime(services), ready: await services.isReady(), ...runtime, processes: all, workers })
    }
  }),
  route({
    method: 'get',
    path: '/metrics',
    access: 'metrics',
    summary: 'Figures of the platform and its apps for Prometheus',
    responses: { 200: z.string() },
    produces: 'text/plain',
    handle: async (_call, services) => ({ status: 200, body: await services.metrics.text(await snapshot(services)), headers: { 'content-type': services.metrics.contentType } })
  }),
  route({
    method: 'get',
    path: '/healthz',
    access: 'public',
    summary: 'The console answers',
    responses: { 200: health },
    handle: async () => ok({ status: 'ok' })
  }),
  route({
    method: 'get',
    path: '/readyz',
    access: 'public',
    summary: 'Client traffic and publishing both work',
    responses: { 200: health, 503: health },
    handle: async (_call, services) => ((await services.isReady()) ? ok({ status: 'ok' }) : { status: 503, body: { status: 'unavailable' } })
  })
]
