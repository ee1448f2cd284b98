import type { Limits } from '@socklet/config'

export type LimitsPatch = { [K in keyof Limits]?: number | null }

/** `own` with what `patch` sets, and without what it takes back by null. */
export function mergeLimits(own: Partial<Limits>, patch: LimitsPatch = {}): Partial<Limits> {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined)
  const merged = new Map<string, number | null | undefined>([...Object.entries(own), ...given])
  return Object.fromEntries([...merged].filter(([, value]) => value !== null)) as Partial<Limits>
}
