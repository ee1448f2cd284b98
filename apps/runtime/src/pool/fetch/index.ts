export { isPublicAddress } from './addresses.ts'
export { Fetches } from './fetches.ts'
export { makeResolve } from './resolve.ts'
