/**
 * What `require` gives for Node's own modules. A module is here when it really works in an isolate; one that could only throw is absent, so that a library
 * which looks for it takes its other way. `require` here is the bundler's: a module is evaluated when it is first asked for, and until then costs the isolate only its source.
 */
// oxlint-disable typescript/no-require-imports
import * as abort from './abort.ts'
import { atob, btoa } from './base64.ts'
import * as buffer from './buffer.ts'
import * as define from './define.ts'
import * as inspect from './inspect.ts'
import * as types from './node/types.ts'
import { performance } from './performance.ts'
import * as textEncoding from './text-encoding.ts'
import * as idna from './url/idna.ts'
import * as punycode from './url/punycode.ts'
import * as searchParams from './url/search-params.ts'
import * as url from './url/url.ts'

/** What node/rare.ts and what stands beside it use of the guest, by its path from here (snapshot/bundle.ts). */
export const SHARED: Record<string, unknown> = {
  __proto__: null as never,
  'abort.ts': abort,
  'buffer.ts': buffer,
  'define.ts': define,
  'inspect.ts': inspect,
  'node/types.ts': types,
  'text-encoding.ts': textEncoding,
  'url/idna.ts': idna,
  'url/punycode.ts': punycode,
  'url/search-params.ts': searchParams,
  'url/url.ts': url
}

type Rare = typeof import('./node/rare.ts')

let evaluate: () => Rare = () => {
  throw new Error('the modules are there once they were given')
}
let evaluated: Rare | null = null

/** Gives what evaluates node/rare.ts, which is done when one of its modules is first asked for. */
export function setRareModules(load: () => Rare): void {
  evaluate = load
}

export function rareModules(): Rare {
  evaluated ??= evaluate()
  return evaluated
}

const path = (): unknown => (require('./node/path.ts') as typeof import('./node/path.ts')).path
const timers = (): typeof import('./node/timers.ts') => require('./node/timers.ts') as typeof import('./node/timers.ts')

/** By name without `node:`. `crypto` is added where the host is known (index.ts). */
export const nodeModules: Record<string, () => unknown> = {
  __proto__: null as never,
  'assert': () => rareModules().assert,
  'assert/strict': () => rareModules().strict,
  'buffer': () => ({ ...buffer.bufferModule, atob, btoa }),
  'events': () => (require('./node/events.ts') as typeof import('./node/events.ts')).EventEmitter,
  'path': path,
  'path/posix': path,
  'perf_hooks': () => ({ performance }),
  'process': () => (globalThis as { process?: unknown }).process,
  'punycode': () => rareModules().punycode,
  'querystring': () => rareModules().querystring,
  'string_decoder': () => (require('./node/string-decoder.ts') as typeof import('./node/string-decoder.ts')).stringDecoder,
  'timers': () => timers().timers(),
  'timers/promises': () => timers().timersPromises(),
  'url': () => rareModules().urlModule,
  'util': () => rareModules().util,
  'util/types': () => types.types
}
