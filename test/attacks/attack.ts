import { readdirSync } from 'node:fs'
import type { Platform } from '../support/platform.ts'

/** What an attack is up against. */
interface Described {
  /** As a heading: what is tried. */
  name: string
  /** The layer that stops it; one of LAYERS. */
  layer: keyof typeof LAYERS
  /** What must hold, whatever the variant. */
  holds: string
}

export const LAYERS = {
  isolate: 'the V8 isolate of the app and its limits',
  guest: 'our code in the isolate, which takes nothing from the tenant’s hands',
  worker: 'the watch over turns in the worker, and its check of what a turn has left',
  pool: 'the pool, from outside: it ends workers and brokers what apps reach',
  gateway: 'the gateway, before anything reaches an app',
  console: 'the console: tokens, schemas, the compiler in a process of its own',
  process: 'what Node and the system allow the worker’s process'
} as const

/** An app with data of its own that nobody else may get at, with a client that stays connected. */
export interface Victim {
  appid: string
  /** `ctx.socket.id` of its client. */
  connection: string
  room: string
  sharedKey: string
}

/**
 * Code of a tenant: the body of `async (ctx, cloud, tools)`, see reach.ts. What it returns is what it got hold of, as text;
 * nothing, if it got nothing. All variants run in one isolate, one after the other.
 */
export interface ReachAttack extends Described {
  variants: Record<string, string | ((victim: Victim) => string)>
}

/** Code at the top level of an app, which then has to work as if it were not there. Each variant is an app of its own. */
export interface OverwriteAttack extends Described {
  variants: Record<string, string>
}

/**
 * Code that does not end, or takes without end. Where it stands is what `at` says; the rest of the app answers `alive <text>` to
 * any message but `go`. Each variant is an app of its own.
 */
export interface GreedyAttack extends Described {
  /** A worker may die of it: they run one after the other. */
  killsWorkers?: boolean
  variants: Record<string, { at: 'message' | 'timer' | 'listener' | 'request' | 'upgrade' | 'close' | 'module'; code: string; limits?: Record<string, number> }>
}

/** What a client does to the gateway or to the console. Throws if it does not hold. */
export interface ClientAttack extends Described {
  variants: Record<string, (platform: Platform) => Promise<void>>
  /** Variants that succeed still, and why. */
  open?: Record<string, string>
}

/** An attack whose test was there before, or needs what the real platform cannot be given. */
export interface ElsewhereAttack extends Described {
  /** Test files, from the root of the repository. */
  tests: string[]
}

/** All attacks of one group, by file name. */
export async function attacksOf<T extends Described>(group: string): Promise<[file: string, attack: T][]> {
  const folder = new URL(`${group}/`, import.meta.url)
  const files = readdirSync(folder).filter((name) => name.endsWith('.ts')).toSorted()
  return Promise.all(files.map(async (file) => [`test/attacks/${group}/${file}`, ((await import(new URL(file, folder).href)) as { default: T }).default] as [string, T]))
}
