import { closeSync, openSync, readSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { MemoryBound, WorkerProcess } from './worker-process.ts'

/** An isolate that grows an array takes up to 1 GiB in a second before isolated-vm's own limit acts, which adds so much when it is near. */
const LOOK_EVERY_MS = 100
/** A worker that runs nothing is looked at once in so many times. */
const IDLE_EVERY = 20
/** Above half of the bound it is told so often, see MemoryBound. */
const TELL_EVERY_MS = 5_000
const PAGE_BYTES = 4096
const MIB = 1024 * 1024
const MIN_SHARE_MIB = 1_024

/**
 * Kills the worker once its memory is above the bound. Its file in /proc is kept open, and so is never that of another process
 * with the same number. Where there is no /proc, nothing is watched. Returns what ends the watch.
 */
export function watchMemory(worker: WorkerProcess, { bytes, isIdle, onHalf, onOver }: MemoryBound): () => void {
  const file = openStatm(worker.pid)
  if (file === null) return () => {}
  let toldAt = -TELL_EVERY_MS
  let looks = 0
  const timer = setInterval(() => {
    if (++looks % IDLE_EVERY !== 0 && isIdle?.() === true) return
    const rss = readRss(file)
    if (rss > bytes) {
      stop()
      onOver(worker, rss)
      worker.kill()
    } else if (rss > bytes / 2 && performance.now() - toldAt > TELL_EVERY_MS) {
      toldAt = performance.now()
      onHalf?.(worker)
    }
  }, LOOK_EVERY_MS)
  let stopped = false
  const stop = (): void => {
    if (stopped) return
    stopped = true
    clearInterval(timer)
    closeSync(file)
  }
  return stop
}

export function memoryText(who: string, rssBytes: number, boundBytes: number): string {
  return `${who} is killed: its memory is ${mib(rssBytes)} MiB, above ${mib(boundBytes)} MiB (option worker-memory-mib)`
}

function mib(bytes: number): string {
  return Math.round(bytes / MIB).toLocaleString('en-US')
}

/** What one worker may have if nothing else is said: all of them, the spare one and the one for trials fit into the machine, or into the cgroup. */
export function memoryShareBytes(workers: number): number {
  const constrained = process.constrainedMemory()
  const total = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  return Math.max(MIN_SHARE_MIB * MIB, Math.floor(total / (workers + 2)))
}

function openStatm(pid: number): number | null {
  try {
    return openSync(`/proc/${pid}/statm`, 'r')
  } catch {
    return null
  }
}

const statm = Buffer.alloc(128)

/** proc(5): the second number is the resident pages. 0 once the process has ended. */
function readRss(file: number): number {
  try {
    const length = readSync(file, statm, 0, statm.byteLength, 0)
    return Number(statm.toString('latin1', 0, length).split(' ')[1]) * PAGE_BYTES
  } catch {
    return 0
  }
}
