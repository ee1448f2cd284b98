import { CallError } from '@socklet/protocol'

const INTERVAL_MS = 1_000
/** Subjects name workers and apps, of which there is no end. */
const MAX_SUBJECTS = 1_000
const last = new Map<string, number>()

/** A line for the operator. The same subject is reported once a second at most: what clients cause must not fill a disk. */
export function report(subject: string, detail: unknown): void {
  const now = Date.now()
  if (now - (last.get(subject) ?? 0) < INTERVAL_MS) return
  if (last.size >= MAX_SUBJECTS) last.clear()
  last.set(subject, now)
  process.stderr.write(`gateway: ${subject}: ${textOf(detail)}\n`)
}

function textOf(detail: unknown): string {
  if (!(detail instanceof Error)) return String(detail)
  // What the other side of a link has said: the stack is that of reading it.
  return detail instanceof CallError ? detail.message : (detail.stack ?? detail.message)
}
