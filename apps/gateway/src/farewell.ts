import type { Loss, Placement } from '@socklet/protocol'
import type { App, Leaving } from './app.ts'

/** A worker that does not say that the isolate is gone, and whose link stays, is no worker of ours. Milliseconds. */
const FAREWELL_MS = 5_000

/**
 * What a worker has sent comes by its own link, and may be overtaken by the pool, which says that the isolate was put away: what it has sent last would be dropped,
 * and what it has settled be delivered again. Waits for the worker's own word, or the end of its link; then `go` is called, with where the app is by then.
 * Returns whether there is anything to wait for.
 */
export function awaitFarewell(app: App, placement: Placement | null, loss: Loss, go: (left: Leaving) => void): boolean {
  if (app.leaving !== null) {
    app.leaving.placement = placement
    return true
  }
  const { attachment } = app
  if (attachment === null || !attachment.heard) return false
  app.attachment = null
  const timer = setTimeout(() => onFarewell(app), FAREWELL_MS)
  app.leaving = { attachment, loss, placement, timer, go }
  return true
}

/** GONE has come, before the pool's word or after it. */
export function onGone(app: App): void {
  app.life!.heard = false
  onFarewell(app)
}

/** The last command of the life that leaves has come, or none will come any more. */
export function onFarewell(app: App): void {
  const left = app.leaving
  if (left === null) return
  forgetLeaving(app)
  left.go(left)
}

/** Nobody waits for it: the app, or all that is known of its places, is gone. */
export function forgetLeaving(app: App): void {
  if (app.leaving !== null) clearTimeout(app.leaving.timer)
  app.leaving = null
}
