import type { Attack } from '../attacks/attack.ts'
import { attacks } from '../attacks/index.ts'
import { tenants } from '../attacks/tenants.ts'
import type { AttackLine } from '../attacks/main.ts'
import { startChild } from '../child.ts'
import { load } from '../load.ts'
import type { Latency } from '../load/histogram.ts'
import type { Line, Plan, Row } from '../row.ts'
import { pathOf, startSocklet, type AppSpec, type Socklet } from '../servers/server.ts'
import { ECHO } from '../servers/functions.ts'

const QUIET = 'quiet'
const ATTACK_TIMEOUT_MS = 20_000

/**
 * Echo latency of a quiet app: alone, while another app of the same platform is attacked, alone again, and so on. Each
 * attack is compared with the mean of the times before and after it.
 */
function neighbourRow(name: string, what: string, chosen: Attack[]): Row {
  return {
    name,
    what,
    takesLong: true,
    run: async (plan): Promise<Line[]> => {
      const socklet = await startSocklet({ [QUIET]: { functions: { __websocket__: ECHO } }, ...attackedApps(chosen) })
      const alone: Latency[][] = chosen.map(() => [])
      const during: Latency[][] = chosen.map(() => [])
      const rounds = plan.quick ? 1 : plan.rounds
      let before = await probe(plan, socklet)
      for (let round = 0; round < rounds; round++) {
        for (const [index, attack] of chosen.entries()) {
          plan.say(`round ${round + 1} of ${rounds}: ${attack.what}`)
          during[index]!.push(await underAttack(socklet, attack, () => probe(plan, socklet), plan.say))
          const after = await probe(plan, socklet)
          alone[index]!.push(mean(before, after))
          before = after
        }
      }
      return chosen.flatMap((attack, index) => linesOf(attack.what, alone[index]!, during[index]!))
    }
  }
}

/** A quiet app beside all of these at once. */
function togetherRow(name: string, what: string, chosen: Attack[]): Row {
  return {
    name,
    what,
    takesLong: true,
    run: async (plan): Promise<Line[]> => {
      const socklet = await startSocklet({ [QUIET]: { functions: { __websocket__: ECHO } }, ...attackedApps(chosen) })
      const alone: Latency[] = []
      const during: Latency[] = []
      for (let round = 0; round < plan.rounds; round++) {
        plan.say(`round ${round + 1} of ${plan.rounds}`)
        alone.push(await probe(plan, socklet))
        during.push(await underAll(socklet, chosen, () => probe(plan, socklet), plan.say))
      }
      return linesOf(what, alone, during, 3)
    }
  }
}

function underAll<T>(socklet: Socklet, [attack, ...others]: Attack[], run: () => Promise<T>, say: (text: string) => void): Promise<T> {
  return attack === undefined ? run() : underAttack(socklet, attack, () => underAll(socklet, others, run, say), say)
}

function attackedApps(chosen: Attack[]): Record<string, AppSpec> {
  return Object.fromEntries(chosen.map(({ name: appid, source = ECHO, limits }): [string, AppSpec] => [appid, { functions: { __websocket__: source }, ...(limits === undefined ? {} : { limits }) }]))
}

function linesOf(what: string, alone: Latency[], during: Latency[], mostOfP99 = 4): Line[] {
  return (['p50', 'p99'] as const).map((quantile) => ({
    measure: `a quiet app beside ${what}: ${quantile}`,
    unit: 'µs',
    base: alone.map((each) => each[quantile]),
    baseIs: 'alone',
    socklet: during.map((each) => each[quantile]),
    reach: { of: 'ratio', most: quantile === 'p50' ? 2 : mostOfP99 }
  }))
}

async function probe({ warmupMs, windowMs }: Plan, socklet: Socklet): Promise<Latency> {
  const { latency } = await load({ ...socklet, paths: [pathOf(QUIET)] }, { kind: 'rate', connections: 4, perSecond: 400, bytes: 64, warmupMs, windowMs })
  return latency
}

/** @throws Error if the attack did not reach what it was to reach: it would show nothing. */
async function underAttack<T>(socklet: Socklet, attack: Attack, run: () => Promise<T>, say: (text: string) => void): Promise<T> {
  const child = startChild<AttackLine>(new URL('../attacks/main.ts', import.meta.url), [attack.name, String(socklet.port), pathOf(attack.name)])
  await child.line(ATTACK_TIMEOUT_MS)
  const result = await run()
  child.tell()
  const { outcomes } = await child.line(ATTACK_TIMEOUT_MS)
  await child.end()
  say(`${attack.what}: ${Object.entries(outcomes).map(([outcome, count]) => `${count} × ${outcome}`).join(', ') || 'all still at it'}`)
  if (attack.outcome !== null && outcomes[attack.outcome] === undefined) throw new Error(`the attack ${attack.name} ended no connection with ${attack.outcome}: ${JSON.stringify(outcomes)}`)
  return result
}

function mean(one: Latency, other: Latency): Latency {
  return Object.fromEntries(Object.entries(one).map(([key, value]) => [key, (value + other[key as keyof Latency]) / 2])) as unknown as Latency
}

export const neighbour = neighbourRow('neighbour', 'echo latency of a quiet app beside one that is attacked', attacks)
/** One attack alone, by name. */
export const neighbourRows = attacks.map((attack) => neighbourRow(`neighbour/${attack.name}`, `the same beside ${attack.what} only`, [attack]))

export const hostile = togetherRow('hostile', 'tenants in an endless loop, an endless chain of microtasks and allocation without end, all restarting', tenants)
