import type { FrameHead } from '@socklet/protocol'
import type { App, Attachment, Peer } from './app.ts'

/** Bytes that wait for a worker, above which it gets only what is kept for it. */
const MAX_UNREAD = 64 * 1024 * 1024
const NOTHING = new Uint8Array(0)

type Numbered = Pick<Peer, 'number'>

/** Something the worker should know if it is there; nothing is lost with it. */
export function notify(app: App, type: number, peer: Numbered, payload: Uint8Array = NOTHING, flags = 0): void {
  const { attachment } = app
  // A worker that asks for them and does not read them is not well: they must not fill our memory.
  if (attachment === null || attachment.link.pendingBytes > MAX_UNREAD) return
  attachment.link.send({ ...headFor(app, attachment, type, peer), flags }, payload)
}

export function headFor(app: App, { app: number, generation }: Attachment, type: number, peer: Numbered): FrameHead {
  return { type, flags: 0, gateway: app.gateway.settings.index, app: number, generation, connection: peer.number, sequence: 0 }
}
