// oxlint-disable typescript/no-require-imports -- the bundler's, see globals/index.ts
import type { Program, PlatformModules } from './modules.ts'
import { mainOf } from './modules.ts'
import { NativeError, jsonStringify } from './primordials.ts'
import type { Shared } from './shared/shared.ts'
import type { Sockets } from './sockets.ts'

export interface CloudParts {
  appid: string
  shared: Shared
  sockets: Sockets
  env: Record<string, string>
  program: () => Program
  platform: PlatformModules
}

const tokens = (): typeof import('./tokens.ts') => require('./tokens.ts') as typeof import('./tokens.ts')

/** What `import cloud from '@lafjs/cloud'` gives. */
export function makeCloud(parts: CloudParts): object {
  return {
    appid: parts.appid,
    shared: parts.shared,
    sockets: parts.sockets,
    env: parts.env,
    getToken: (payload: unknown, secret?: unknown): string => tokens().getToken(payload, secret),
    parseToken: (token: unknown, secret?: unknown): unknown => tokens().parseToken(token, secret),
    /** axios, as far as functions use it. */
    get fetch(): unknown {
      return (require('./fetch/cloud-fetch.ts') as typeof import('./fetch/cloud-fetch.ts')).cloudFetch
    },
    /** Calls another function of the app directly. */
    invoke: async (name: string, ctx: Record<string, unknown> = {}): Promise<unknown> => {
      const program = parts.program()
      const loaded = program.functions[`${name}`]
      if (loaded === undefined) throw new NativeError(`there is no function ${jsonStringify(`${name}`)}`)
      const main = mainOf(program, loaded, parts.platform)
      if (main === null) throw new NativeError(`the function ${name} exports no main`)
      return main({ ...ctx, requestId: ctx['requestId'] ?? 'invoke', method: ctx['method'] ?? 'call', __function_name: name })
    }
  }
}

/** The object for `import cloud from …` and for `require(…)` alike. */
export function cloudModule(cloud: object): object {
  return Object.defineProperty({ default: cloud, cloud }, '__esModule', { value: true })
}

