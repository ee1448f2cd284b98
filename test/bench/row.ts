/** One benchmark: a name on the command line, and what it measures. It is in a file of its own in rows/. */
export interface Row {
  readonly name: string
  readonly what: string
  /** It shares its servers with those beside it in the quick form (servers/pair.ts): nothing is ended after it then. */
  readonly sharesServers?: boolean
  /** The quick form goes without it. */
  readonly takesLong?: boolean
  /** What it starts is ended for it. @throws Error if something cannot be measured. */
  run(plan: Plan): Promise<Line[]>
}

/** How much is measured. */
export interface Plan {
  readonly quick: boolean
  /** How often each server is measured, one after the other. */
  readonly rounds: number
  readonly warmupMs: number
  readonly windowMs: number
  /** A word on what is going on. */
  say(text: string): void
}

/** What has to be reached: of the measure itself, of its ratio to the base, or of its difference from it. */
export interface Reach {
  readonly of: 'value' | 'ratio' | 'difference'
  readonly most?: number
  readonly least?: number
}

/** One line of the table. */
export interface Line {
  readonly measure: string
  readonly unit: string
  /** What it is compared with, a bare ws server if nothing else is said; a value for each round. */
  readonly base?: number[]
  readonly baseIs?: string
  /** A value for each round. */
  readonly socklet: number[]
  /** null: nothing was promised. */
  readonly reach: Reach | null
}

export interface Judged {
  base: number | null
  socklet: number
  /** In the sense of `reach.of`; of the ratio where nothing was promised and there is a base. */
  score: number
  scoreOf: Reach['of']
  ok: boolean
}

/** In the quick form only gross loss counts: twice what is to be reached. Of "ws + 100 µs" that is twice both: a slow machine is slow at ws, too. */
const QUICK_FACTOR = 2

/** The medians, and whether they reach what they have to. Rounds are compared with their neighbours in time. */
export function judge({ base, socklet, reach }: Line, quick: boolean): Judged {
  const of = reach?.of ?? (base === undefined ? 'value' : 'ratio')
  const scores = socklet.map((value, round) => (of === 'value' ? value : of === 'ratio' ? value / base![round]! : value - base![round]!))
  const score = median(scores)
  const factor = quick ? QUICK_FACTOR : 1
  const slack = of === 'difference' ? median(base!) * (factor - 1) : 0
  const ok = score <= (reach?.most ?? Infinity) * factor + slack && score >= (reach?.least ?? -Infinity) / factor
  return { base: base === undefined ? null : median(base), socklet: median(socklet), score, scoreOf: of, ok }
}

/** @throws Error if there is none. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length === 0) throw new Error('the median of nothing')
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2
}
