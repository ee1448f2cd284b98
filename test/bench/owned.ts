/**
 * What has to be ended before the benchmarks are over, however they end: children and folders. Whoever makes such a
 * thing gives the way to end it here.
 */
const owned = new Set<() => Promise<void>>()
let isOver = false

/** Takes care of something. What it gives ends it, once, now. @throws Error if everything has been ended for good; this is ended too then. */
export function own(end: () => Promise<void>): () => Promise<void> {
  let ended: Promise<void> | undefined
  const once = (): Promise<void> => {
    owned.delete(once)
    ended ??= end()
    return ended
  }
  owned.add(once)
  if (isOver) {
    void once()
    throw new Error('the benchmarks have been ended')
  }
  return once
}

/** As endAll, and nothing can be started any more. */
export function endForGood(): Promise<void> {
  isOver = true
  return endAll()
}

/** Ends all that is there, the youngest first. */
export async function endAll(): Promise<void> {
  while (owned.size > 0) await Promise.allSettled([...owned].toReversed().map((end) => end()))
}
