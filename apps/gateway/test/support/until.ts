import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until the condition holds. */
export async function until(condition: () => boolean, what: string | (() => string) = 'the condition', timeoutMs = 8_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`)
    await sleep(2)
  }
}
