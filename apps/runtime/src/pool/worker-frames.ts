import { Flag, FrameType, HEADER_BYTES, readU32 } from '@socklet/protocol'
import type { WorkerProcess } from './worker-process.ts'

type OnFrame = (worker: WorkerProcess, bytes: Uint8Array, start: number, end: number) => void

export interface WorkerFrames {
  /** A line for the log of an app. */
  onLog: (app: number, payload: Uint8Array) => void
  /** Changes of an app's shared values. */
  onShared: OnFrame
  /** An app has reached a limit. */
  onReached: (app: number, payload: Uint8Array) => void
  /** What is counted of an app has come on. */
  onCounted: (app: number, payload: Uint8Array) => void
  /** What an app asks for outside. */
  onFetch: OnFrame
}

/** A frame from a worker that is no call, `bytes[start .. end)`. It speaks of the apps that the worker holds, or is dropped: tenants' code may have written it. */
export function onWorkerFrame(worker: WorkerProcess, bytes: Uint8Array, start: number, end: number, on: WorkerFrames): void {
  const type = bytes[start + 4]!
  const app = readU32(bytes, start + 8)
  if (!worker.apps.has(app)) {
    // Of an app that it has just lost, it may still have to say that nobody waits for its requests.
    if (isFetch(type)) on.onFetch(worker, bytes, start, end)
  } else if (type === FrameType.LOG) on.onLog(app, bytes.subarray(start + HEADER_BYTES, end))
  else if (type === FrameType.SHARED) on.onShared(worker, bytes, start, end)
  else if (type === FrameType.REACHED) on.onReached(app, bytes.subarray(start + HEADER_BYTES, end))
  else if (type === FrameType.COUNTED) on.onCounted(app, bytes.subarray(start + HEADER_BYTES, end))
  else if (type === FrameType.TURN) onTurn(worker, app, (bytes[start + 5]! & Flag.END) !== 0)
  else if (isFetch(type)) on.onFetch(worker, bytes, start, end)
}

function onTurn(worker: WorkerProcess, app: number, over: boolean): void {
  if (over) worker.running.delete(app)
  else worker.running.add(app)
}

function isFetch(type: number): boolean {
  return type === FrameType.FETCH || type === FrameType.FETCH_MORE || type === FrameType.FETCH_ABORT
}
