export { start, type StartSetup } from './start.ts'
export type { ChildKind, ChildSpec } from './supervisor/child.ts'
export type { Timing } from './supervisor/slot.ts'
