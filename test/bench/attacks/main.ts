/**
 * An attack, in a process of its own that leaves the machine to the others: what they suffer is the platform's doing.
 * Arguments: the attack, port and path. Prints a line when all attackers are at work, and how their connections ended
 * when it is told to stop. It ends when its standard input ends.
 */
import { setPriority } from 'node:os'
import type { Attack, Where } from './attack.ts'
import { attacks } from './index.ts'

const LOWEST_PRIORITY = 19

export interface AttackLine {
  /** Connections that have ended, by status or close code. */
  outcomes: Record<string, number>
}

if (import.meta.main) {
  const [name, port, path] = process.argv.slice(2) as [string, string, string]
  const attack = attacks.find((each) => each.name === name)
  if (attack === undefined) throw new Error(`there is no attack ${name}`)
  setPriority(LOWEST_PRIORITY)
  run(attack, { port: Number(port), path })
}

function run(attack: Attack, where: Where): void {
  const outcomes: Record<string, number> = {}
  const say = (): boolean => process.stdout.write(`${JSON.stringify({ outcomes } satisfies AttackLine)}\n`)
  process.stdin.on('data', say)
  process.stdin.on('end', () => process.exit(0))
  process.on('SIGINT', () => {})
  let atWork = 0
  let begun = 0
  let isFull = false
  const begin = async (): Promise<void> => {
    atWork++
    const outcome = await attack.attacker(where)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    atWork--
  }
  const start = performance.now()
  setInterval(() => {
    // Those that were due while all were at work are not made up for.
    const due = Math.floor(((performance.now() - start) / 1000) * attack.perSecond)
    for (; begun < due && atWork < attack.atATime; begun++) void begin()
    if (atWork === attack.atATime) begun = due
    if (isFull || (begun < attack.atATime && Object.keys(outcomes).length === 0)) return
    isFull = true
    say()
  }, 5)
}
