import { closeSync, openSync, readSync } from 'node:fs'
import { totalmem } from 'node:os'
import { residentBytes } from './proc.ts'
import type { MemoryBound, WorkerProcess } from './worker-process.ts'

/** An isolate that grows an array takes up to 1 GiB in a second before isolated-vm's own limit acts, which adds so much when it is near. */
const LOOK_EVERY_MS = 100
/** A worker that holds nothing is looked at so often: a platform at rest is to do nothing else. */
const LOOK_AT_IDLE_EVERY_MS = 2_000
/** Above half of the bound it is told so often, see MemoryBound. */
const TELL_EVERY_MS = 5_000
const MIB = 1024 * 1024
const MIN_SHARE_MIB = 1_024

export interface MemoryWatch {
  /** Its memory when it was looked at last, bytes. 0 where nothing is watched. */
  readonly rssBytes: number
  /** The worker is not idle any more. */
  wake(): void
  stop(): void
}

/**
 * Kills the worker once its memory is above the bound. Its file in /proc is kept open, and so is never that of another process
 * with the same number. Where there is no /proc, nothing is watched.
 */
export function watchMemory(worker: WorkerProcess, bound: MemoryBound): MemoryWatch {
  const file = openStatus(worker.pid)
  return file === null ? { rssBytes: 0, wake: () => {}, stop: () => {} } : new OpenWatch(worker, bound, file)
}

class OpenWatch implements MemoryWatch {
  rssBytes = 0
  readonly #worker: WorkerProcess
  readonly #bound: MemoryBound
  readonly #file: number
  #toldAt = -TELL_EVERY_MS
  #stopped = false
  /** The next look is far. */
  #rests = false
  #timer: NodeJS.Timeout | undefined

  constructor(worker: WorkerProcess, bound: MemoryBound, file: number) {
    this.#worker = worker
    this.#bound = bound
    this.#file = file
    this.#lookIn(LOOK_EVERY_MS)
  }

  wake(): void {
    // Only then: who takes one app after the other would never be looked at.
    if (!this.#rests || this.#stopped) return
    clearTimeout(this.#timer)
    this.#plan()
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    clearTimeout(this.#timer)
    closeSync(this.#file)
  }

  #plan(): void {
    this.#rests = this.#bound.isIdle?.() === true
    this.#lookIn(this.#rests ? LOOK_AT_IDLE_EVERY_MS : LOOK_EVERY_MS)
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms)
  }

  #look(): void {
    const { bytes, onHalf, onOver } = this.#bound
    const rss = readRss(this.#file)
    this.rssBytes = rss
    if (rss > bytes) {
      this.stop()
      onOver(this.#worker, rss)
      this.#worker.kill()
      return
    }
    if (rss > bytes / 2 && performance.now() - this.#toldAt > TELL_EVERY_MS) {
      this.#toldAt = performance.now()
      onHalf?.(this.#worker)
    }
    this.#plan()
  }
}

export function memoryText(who: string, rssBytes: number, boundBytes: number): string {
  return `${who} is killed: its memory is ${mib(rssBytes)} MiB, above ${mib(boundBytes)} MiB (option worker-memory-mib)`
}

function mib(bytes: number): string {
  return Math.round(bytes / MIB).toLocaleString('en-US')
}

/** What one worker may have if nothing else is said: all of them, the spare one and the one for trials fit into what there is, if that is no less than 1 GiB for each. */
export function memoryShareBytes(workers: number, machineBytes = totalmem(), cgroupBytes = process.constrainedMemory()): number {
  const bytes = cgroupBytes > 0 ? Math.min(cgroupBytes, machineBytes) : machineBytes
  return Math.max(MIN_SHARE_MIB * MIB, Math.floor(bytes / (workers + 2)))
}

function openStatus(pid: number): number | null {
  try {
    return openSync(`/proc/${pid}/status`, 'r')
  } catch {
    return null
  }
}

const status = Buffer.alloc(4096)

function readRss(file: number): number {
  try {
    return residentBytes(status.toString('latin1', 0, readSync(file, status, 0, status.byteLength, 0)))
  } catch {
    return 0
  }
}
