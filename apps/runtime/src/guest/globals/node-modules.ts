/**
 * What `require` gives for Node's own modules. A module is here when it really works in an isolate; one that could only throw is absent, so that a library
 * which looks for it takes its other way. `require` here is the bundler's: a module is evaluated when it is first asked for, and until then costs the isolate only its source.
 */
// oxlint-disable typescript/no-require-imports
import { atob, btoa } from './base64.ts'
import { bufferModule } from './buffer.ts'
import { performance } from './performance.ts'

const path = (): unknown => (require('./node/path.ts') as typeof import('./node/path.ts')).path
const timers = (): typeof import('./node/timers.ts') => require('./node/timers.ts') as typeof import('./node/timers.ts')

/** By name without `node:`. `crypto` is added where the host is known (index.ts). */
export const nodeModules: Record<string, () => unknown> = {
  __proto__: null as never,
  'assert': () => (require('./node/assert.ts') as typeof import('./node/assert.ts')).assert,
  'assert/strict': () => (require('./node/assert.ts') as typeof import('./node/assert.ts')).strict,
  'buffer': () => ({ ...bufferModule, atob, btoa }),
  'events': () => (require('./node/events.ts') as typeof import('./node/events.ts')).EventEmitter,
  'path': path,
  'path/posix': path,
  'perf_hooks': () => ({ performance }),
  'process': () => (globalThis as { process?: unknown }).process,
  'punycode': () => (require('unenv/node/punycode') as { default: unknown }).default,
  'querystring': () => (require('unenv/node/querystring') as { default: unknown }).default,
  'string_decoder': () => (require('./node/string-decoder.ts') as typeof import('./node/string-decoder.ts')).stringDecoder,
  'timers': () => timers().timers(),
  'timers/promises': () => timers().timersPromises(),
  'url': () => (require('./node/url.ts') as typeof import('./node/url.ts')).urlModule,
  'util': () => (require('./node/util.ts') as typeof import('./node/util.ts')).util,
  'util/types': () => (require('./node/types.ts') as typeof import('./node/types.ts')).types
}
