import { Flag, FrameType, writeU32 } from '@socklet/protocol'
import type { App } from './app.ts'
import type { Written } from './compressed-writer.ts'
import { notify } from './notify.ts'

/** The worker hears what became of these frames of a connection, whether or not that is still there. */
export function tellSent(app: App, connection: number, sequences: number[], failed: boolean): void {
  const payload = Buffer.allocUnsafe(sequences.length * 4)
  sequences.forEach((sequence, index) => writeU32(payload, index * 4, sequence))
  notify(app, FrameType.SENT, { number: connection }, payload, failed ? Flag.FAILED : 0)
}

/** What to do when they were written. A later life of the app did not send them, and is not told. */
export function whenWritten(app: App, connection: number, sequences: number[]): Written {
  const { attachment } = app
  return (error) => {
    if (app.attachment === attachment) tellSent(app, connection, sequences, Boolean(error))
  }
}
