const INTERVAL_MS = 1_000
const last = new Map<string, number>()

/** A line for the operator. The same subject is reported once a second at most: what clients cause must not fill a disk. */
export function report(subject: string, detail: unknown): void {
  const now = Date.now()
  if (now - (last.get(subject) ?? 0) < INTERVAL_MS) return
  last.set(subject, now)
  const text = detail instanceof Error ? (detail.stack ?? detail.message) : String(detail)
  process.stderr.write(`gateway: ${subject}: ${text}\n`)
}
