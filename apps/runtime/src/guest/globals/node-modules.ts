/**
 * What `require` gives for Node's own modules. A module is here when it really works in an isolate; one that could only throw is absent, so that a library
 * which looks for it takes its other way. `require` here is the bundler's (index.ts): a module is evaluated when it is first asked for.
 */
// oxlint-disable typescript/no-require-imports
import { bufferModule } from './buffer.ts'
import { performance } from './performance.ts'
import { objectAssign } from '../primordials.ts'

const assert = (): typeof import('./node/assert.ts') => require('./node/assert.ts') as typeof import('./node/assert.ts')
const base64 = (): typeof import('./base64.ts') => require('./base64.ts') as typeof import('./base64.ts')
const path = (): unknown => (require('./node/path.ts') as typeof import('./node/path.ts')).path
const timers = (): typeof import('./node/timers.ts') => require('./node/timers.ts') as typeof import('./node/timers.ts')

/** By name without `node:`. */
export const nodeModules: Record<string, () => unknown> = {
  __proto__: null as never,
  'assert': () => assert().assert,
  'assert/strict': () => assert().strict,
  'buffer': () => objectAssign({}, bufferModule, { atob: base64().atob, btoa: base64().btoa }),
  'crypto': () => (require('./node/crypto.ts') as typeof import('./node/crypto.ts')).cryptoModule(),
  'events': () => (require('./node/event-tools.ts') as typeof import('./node/event-tools.ts')).EventEmitter,
  'path': path,
  'path/posix': path,
  'perf_hooks': () => ({ performance }),
  'process': () => (globalThis as { process?: unknown }).process,
  'punycode': () => (require('./node/punycode.ts') as typeof import('./node/punycode.ts')).punycode,
  'querystring': () => (require('./node/querystring.ts') as typeof import('./node/querystring.ts')).querystring,
  'string_decoder': () => (require('./node/string-decoder.ts') as typeof import('./node/string-decoder.ts')).stringDecoder,
  'timers': () => timers().timers(),
  'timers/promises': () => timers().timersPromises(),
  'url': () => (require('./node/url.ts') as typeof import('./node/url.ts')).urlModule,
  'util': () => (require('./node/util.ts') as typeof import('./node/util.ts')).util,
  'util/types': () => (require('./node/types.ts') as typeof import('./node/types.ts')).types
}
