import { CatalogError } from '@socklet/catalog'
import { CallError } from '@socklet/protocol'
import { SharedError } from '@socklet/shared'

interface ErrorSpec {
  readonly status: number
  readonly doc: string
}

/** What a caller can do wrong. The OpenAPI document lists these with their docs. */
export const USER_ERRORS = {
  invalid_json: { status: 400, doc: 'the body is not JSON, or nests deeper than 64 levels' },
  invalid_request: { status: 400, doc: 'a parameter or a field of the body is missing, unknown, or has a value that it cannot have; `details` names each' },
  invalid_name: { status: 400, doc: 'an appid, a function or an environment variable has a name that it cannot have' },
  invalid_source: { status: 400, doc: 'a source is empty or not valid UTF-8' },
  invalid_cursor: { status: 400, doc: 'a cursor is none that a listing has given' },
  unsupported_type: { status: 400, doc: 'the body has a content type, charset or encoding that is not taken here' },
  unauthorized: { status: 401, doc: 'the token is missing, unknown or expired' },
  forbidden: { status: 403, doc: 'the token does not reach so far' },
  not_found: { status: 404, doc: 'no such method and path' },
  app_not_found: { status: 404, doc: 'no such app' },
  function_not_found: { status: 404, doc: 'the app has no such function' },
  version_not_found: { status: 404, doc: 'the function has no such version' },
  env_not_found: { status: 404, doc: 'the app has no such environment variable' },
  token_not_found: { status: 404, doc: 'the app has no such token' },
  connection_not_found: { status: 404, doc: 'the app has no such open connection' },
  key_not_found: { status: 404, doc: '`cloud.shared` of the app has no such key' },
  body_timeout: { status: 408, doc: 'the body has stopped coming' },
  app_exists: { status: 409, doc: 'the appid is taken' },
  too_large: { status: 413, doc: 'a body, or the source of a function, is larger than its limit' },
  compile_error: { status: 422, doc: 'a source does not compile; `details` says where: `[{ function?, line, column, message }]`' },
  compile_timeout: { status: 422, doc: 'a source takes too long to compile' },
  too_complex: { status: 422, doc: 'a source nests too deeply for the compiler, or becomes far too large when it is compiled' },
  load_error: { status: 422, doc: 'a function throws while it is loaded, or its top level runs for too long; `details` says which and what: `[{ function, message, stack? }]`' },
  circular_import: { status: 422, doc: 'functions would import each other in a circle; `details` names it' },
  too_many_functions: { status: 422, doc: 'the app would have more functions than its limit `functions`' },
  app_too_large: { status: 422, doc: 'the compiled functions of the app would be larger together than an app can be' },
  env_too_large: { status: 422, doc: 'the environment would have too many variables, or be too large' },
  too_many_tokens: { status: 422, doc: 'the app has as many tokens as it can have' },
  busy: { status: 429, doc: 'too much of this kind is under way; try again a little later' }
} as const satisfies Record<string, ErrorSpec>

/** What is nobody's fault outside. */
export const PLATFORM_ERRORS = {
  internal: { status: 500, doc: 'the platform has failed; its own log has the reason, under the id in the message' },
  unavailable: { status: 503, doc: 'the runtime is not reachable now, or the disk is full; what the message says is stored will be in force when the runtime is back' }
} as const satisfies Record<string, ErrorSpec>

/** sqlite.org/rescode.html#full */
const SQLITE_FULL = 13

export type UserErrorCode = keyof typeof USER_ERRORS
export type PlatformErrorCode = keyof typeof PLATFORM_ERRORS
export type ErrorCode = UserErrorCode | PlatformErrorCode

export const ERRORS: Record<ErrorCode, ErrorSpec> = { ...USER_ERRORS, ...PLATFORM_ERRORS }

/** The caller asked for something that cannot be. The message names it, and is shown. */
export class UserFault extends Error {
  override readonly name = 'UserFault'
  readonly code: UserErrorCode
  readonly details: unknown
  constructor(code: UserErrorCode, message: string, details?: unknown) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** The platform cannot do what it should. The message is shown; `cause` goes to our own log only. */
export class PlatformFault extends Error {
  override readonly name = 'PlatformFault'
  readonly code: PlatformErrorCode
  constructor(code: PlatformErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Refusals of the catalog, of the shared store and of the pool as our own faults; whatever else is thrown stays as it is. */
export function asFault(error: unknown): unknown {
  if (error instanceof CatalogError || error instanceof CallError || error instanceof SharedError) {
    const { code, message } = error
    if (Object.hasOwn(USER_ERRORS, code)) return new UserFault(code as UserErrorCode, message)
  }
  if (error instanceof CallError) return new PlatformFault('unavailable', error.code === 'unavailable' ? error.message : 'the runtime does not answer now', { cause: error })
  if (error instanceof SharedError) return new PlatformFault('unavailable', 'the shared store cannot be read now', { cause: error })
  // The catalog makes a change whole or not at all.
  if ((error as { errcode?: unknown } | null)?.errcode === SQLITE_FULL) return new PlatformFault('unavailable', 'the disk is full: nothing was changed', { cause: error })
  return error
}
