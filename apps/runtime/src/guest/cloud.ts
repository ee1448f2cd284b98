import { cloudFetch } from './fetch/globals.ts'
import type { Program, PlatformModules } from './modules.ts'
import { mainOf } from './modules.ts'
import { NativeError, jsonStringify } from './primordials.ts'
import type { Shared } from './shared/shared.ts'
import type { Sockets } from './sockets.ts'
import { getToken, parseToken } from './tokens.ts'

export interface CloudParts {
  appid: string
  shared: Shared
  sockets: Sockets
  env: Record<string, string>
  program: () => Program
  platform: PlatformModules
}

/** What `import cloud from '@lafjs/cloud'` gives. */
export function makeCloud(parts: CloudParts): object {
  return {
    appid: parts.appid,
    shared: parts.shared,
    sockets: parts.sockets,
    env: parts.env,
    getToken,
    parseToken,
    /** axios, as far as functions use it. */
    get fetch(): unknown {
      return cloudFetch()
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

