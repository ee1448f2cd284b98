import { setTimeout as sleep } from 'node:timers/promises'
import { cpuUsOf } from '../proc.ts'
import { Histogram } from './histogram.ts'
import type { LoadResult } from './spec.ts'

/**
 * Counts in a window of time. CPU is read here, in the generator, at the very moments when counting begins and ends:
 * whoever started it may be late on a busy machine.
 */
export class Meter {
  readonly latency = new Histogram()
  count = 0
  readonly #pid: number

  constructor(pid: number) {
    this.#pid = pid
  }

  /** What is counted within `windowMs`, after `warmupMs`. */
  async measure(warmupMs: number, windowMs: number): Promise<LoadResult> {
    await sleep(warmupMs)
    const end = this.begin()
    await sleep(windowMs)
    return end()
  }

  /** Counts from now on until what it gives is called. */
  begin(): () => LoadResult {
    const serverCpuUs = cpuUsOf(this.#pid)
    const own = process.cpuUsage()
    const start = performance.now()
    this.count = 0
    this.latency.clear()
    return () => {
      const { user, system } = process.cpuUsage(own)
      const seconds = (performance.now() - start) / 1000
      return { count: this.count, seconds, serverCpuUs: cpuUsOf(this.#pid) - serverCpuUs, loadCpuUs: user + system, latency: this.latency.latency() }
    }
  }
}
