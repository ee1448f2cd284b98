/** A worker whose main thread does not answer for so long is stuck, and is killed by its pool. Milliseconds. */
export const SILENT_MS = 5_000
