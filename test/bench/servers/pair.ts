import type { Plan } from '../row.ts'
import { addApp, pathOf, startSocklet, startWs, type AppSpec, type Server, type Socklet } from './server.ts'

export interface Pair {
  ws: Server
  socklet: Socklet
}

let shared: Promise<Pair> | null = null
let sharedApps = 0

/** A bare ws server and the platform with this app: new ones, or in the quick form those of the benchmarks before, with the app added. */
export async function pairWith(plan: Plan, app: AppSpec, wsPath: '/echo' | '/broadcast' = '/echo'): Promise<Pair> {
  const { ws, socklet } = await (plan.quick ? (shared ??= startPair()) : startPair())
  const appid = `bench-${++sharedApps}`
  await addApp(socklet.platform, appid, app)
  return { ws: { ...ws, paths: [wsPath] }, socklet: { ...socklet, paths: [pathOf(appid)] } }
}

/** The next benchmark gets new ones: these are ended, or about to be. */
export function forgetPair(): void {
  shared = null
}

async function startPair(): Promise<Pair> {
  const [ws, socklet] = await Promise.all([startWs(), startSocklet({})])
  return { ws, socklet }
}
