/** One way to make trouble for others on the same platform. It is in a file of its own in attacks/. */
export interface Attack {
  readonly name: string
  readonly what: string
  /** Limits of the attacked app, where the defaults would need more than a benchmark has. */
  readonly limits?: Record<string, number>
  /** Its function, in place of an echo. */
  readonly source?: string
  /** Attackers at a time, and how many new ones begin in a second: what the attack itself takes of the machine is bounded. */
  readonly atATime: number
  readonly perSecond: number
  /** How an attacker's connection ends, a status or close code; it fails as an attack if none does. null: not within the time of a benchmark. */
  readonly outcome: string | null
  /** One attacker: settles with the status or close code, or 'lost', when its connection has ended. */
  attacker(where: Where): Promise<string>
}

export interface Where {
  port: number
  path: string
}
