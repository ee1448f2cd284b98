import { totalmem } from 'node:os'
import { describe, expect, it } from 'vitest'
import { memoryShareBytes } from '../../src/pool/memory-watch.ts'

const GIB = 2 ** 30
/** What process.constrainedMemory says where a cgroup has no limit: 0, or on some systems a number above all memory. */
const UNLIMITED = [0, 2 ** 63]

describe('the share of a worker', () => {
  it('is what the machine has, by the workers, the spare one and the one for trials', () => {
    for (const none of UNLIMITED) {
      expect(memoryShareBytes(1, 12 * GIB, none)).toBe(4 * GIB)
      expect(memoryShareBytes(6, 12 * GIB, none)).toBe(1.5 * GIB)
      expect(memoryShareBytes(5, 12 * GIB, none)).toBe(Math.floor((12 * GIB) / 7))
    }
  })

  it('is of what the cgroup may have, where that is less', () => {
    expect(memoryShareBytes(2, 64 * GIB, 8 * GIB)).toBe(2 * GIB)
    expect(memoryShareBytes(2, 8 * GIB, 64 * GIB)).toBe(2 * GIB)
  })

  it('is never below 1 GiB, which an isolate may take before its own limit acts', () => {
    expect(memoryShareBytes(14, 8 * GIB, 0)).toBe(GIB)
    expect(memoryShareBytes(1, 8 * GIB, GIB / 2)).toBe(GIB)
  })

  it('is of this machine, if nothing else is said', () => {
    expect(memoryShareBytes(1)).toBeGreaterThanOrEqual(GIB)
    expect(memoryShareBytes(1)).toBeLessThanOrEqual(Math.max(GIB, totalmem() / 3))
  })
})
