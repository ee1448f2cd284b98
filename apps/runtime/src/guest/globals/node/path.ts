/** Node's `path` as it is on POSIX (npm path-browserify, Node's own code). `resolve` begins at `/`, the only folder that there could be. */
import * as npm from 'path-browserify'

const { default: posix } = npm

export const path: Record<string, unknown> = { ...posix }
path['posix'] = path
