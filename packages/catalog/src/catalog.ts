import type { Limits } from '@socklet/config'

export interface App {
  appid: string
  /** Unlike that of any app that had the appid before it. Empty for an app from before there were instances. */
  instance: string
  name: string
  state: 'running' | 'suspended'
  /** Limits that were set for this app; the others are the defaults. */
  limits: Partial<Limits>
  /** Grows with every change of functions, env, limits or state. */
  revision: number
  /** Milliseconds since 1970, as all times here. */
  createdAt: number
  updatedAt: number
}

/** A function as it is listed: without its code. */
export interface FunctionInfo {
  name: string
  version: number
  /** SHA-256 of the source, hex. */
  hash: string
  /** HTTP methods; empty means all. */
  methods: string[]
  description: string
  changelog: string
  publishedAt: number
}

export interface FunctionVersion extends FunctionInfo {
  /** The source as it was uploaded. */
  code: string
  /** What the compiler made of it. */
  compiled: string
}

/** One function of a publish. Its version number is given by the catalog. */
export type NewVersion = Pick<FunctionVersion, 'name' | 'code' | 'compiled' | 'hash' | 'methods' | 'description' | 'changelog'>

export interface PublishRequest {
  put: NewVersion[]
  /** Functions to remove; such as do not exist are no error, and such as are in `put` stay. */
  remove: string[]
  /** Removes all functions that are not in `put`. */
  prune?: boolean
  /** Refused with `too_many_functions` if there would be more than this, and more than there were. */
  maxFunctions: number
}

export interface PublishResult {
  revision: number
  published: { info: FunctionInfo; created: boolean }[]
  removed: string[]
}

export interface Page<T> {
  items: T[]
  /** Absent at the end. */
  nextCursor?: string
}

export interface PageQuery {
  /** From 1 on; the caller has checked it. */
  limit: number
  /** `nextCursor` of the page before. Any other text is refused with `invalid_cursor`. */
  cursor?: string
}

export interface EnvEntry {
  name: string
  updatedAt: number
}

export type TokenScope = 'read' | 'deploy' | 'admin'

export interface Token {
  id: string
  appid: string
  name: string
  scopes: TokenScope[]
  createdAt: number
  expiresAt: number | null
}

/** All that the runtime needs of an app, read in one consistent look. */
export interface Release {
  app: App
  functions: FunctionVersion[]
  env: Record<string, string>
  /** What the tokens of the app are signed with where its environment names nothing else. Never changes, and belongs to this instance. For nobody but its isolate. */
  secret: string
}

export type CatalogErrorCode = 'app_exists' | 'app_not_found' | 'function_not_found' | 'version_not_found' | 'token_not_found' | 'env_not_found' | 'too_many_functions' | 'invalid_cursor'

/** How far an app has got: who has seen another revision of it, or another instance, has something to learn. */
export type Revision = Pick<App, 'appid' | 'instance' | 'revision'>

/** An app that is no more. What is kept of it outside the catalog may still be there. */
export type DeletedApp = Pick<App, 'appid' | 'instance'>

/** The request cannot be carried out as things are: the caller's fault, not the catalog's. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError'
  readonly code: CatalogErrorCode
  constructor(code: CatalogErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Apps, functions, versions, env and tokens.
 *
 * Implementations MUST make each method atomic: after a crash all of it or nothing is there, and of two
 * writers at the same time none loses what the other wrote. They MUST NOT validate names (the caller has),
 * and MUST treat every string as data: a name like `__proto__` or `$where` is a name.
 * Methods that name an app that does not exist throw CatalogError `app_not_found`, unless they say otherwise.
 */
export interface Catalog {
  /** @throws CatalogError `app_exists` */
  createApp(app: { appid: string; name: string }): Promise<App>
  /** null if there is none. */
  getApp(appid: string): Promise<App | null>
  /** In the order of appid. */
  listApps(query: PageQuery): Promise<Page<App>>
  /** Of all apps at once, in any order: little of each, so that it costs milliseconds for thousands of them. */
  listRevisions(): Promise<Revision[]>
  /** `limits` are merged into those that are set; a limit that is null goes back to the default. */
  updateApp(appid: string, patch: { name?: string; state?: App['state']; limits?: { [K in keyof Limits]?: number | null } }): Promise<App>
  /** Removes the app with all that belongs to it, and remembers it among the deleted ones. */
  deleteApp(appid: string): Promise<void>
  /** In any order. */
  listDeleted(): Promise<DeletedApp[]>
  /** What was kept of this one elsewhere is removed. One that is not remembered is no error. */
  forgetDeleted(app: DeletedApp): Promise<void>

  /**
   * Publishes and removes functions, all or none. A function's versions are numbered from 1;
   * the numbers go on after it was removed and published again. Versions that do not run are kept up to HISTORY_BYTES of the
   * whole app, and the oldest are forgotten first; a removed function of which none is left begins anew.
   * @throws CatalogError `too_many_functions`
   */
  publish(appid: string, request: PublishRequest): Promise<PublishResult>
  /** In the order of name. */
  listFunctions(appid: string, query: PageQuery): Promise<Page<FunctionInfo>>
  /** The running version. @throws CatalogError `function_not_found` */
  getFunction(appid: string, name: string): Promise<FunctionVersion>
  /** Newest first. @throws CatalogError `function_not_found` */
  listVersions(appid: string, name: string, query: PageQuery): Promise<Page<FunctionInfo>>
  /** @throws CatalogError `function_not_found`, `version_not_found` */
  getVersion(appid: string, name: string, version: number): Promise<FunctionVersion>

  /** Names and dates, in the order of name. */
  listEnv(appid: string): Promise<EnvEntry[]>
  /** Sets these and, with `replace`, removes all others; a null removes one. */
  setEnv(appid: string, values: Record<string, string | null>, options?: { replace?: boolean }): Promise<void>
  /** @throws CatalogError `env_not_found` */
  deleteEnv(appid: string, name: string): Promise<void>

  createToken(token: Omit<Token, 'createdAt'> & { hash: string }): Promise<Token>
  listTokens(appid: string): Promise<Token[]>
  /** @throws CatalogError `token_not_found` */
  deleteToken(appid: string, id: string): Promise<void>
  /** The token whose secret has this hash (SHA-256, hex), expired or not; null if there is none. */
  findToken(hash: string): Promise<Token | null>

  /** null if there is no such app. One from before apps had secrets is given its own by the first call. */
  release(appid: string): Promise<Release | null>
  /** Something durable about the platform itself, such as whether the demo was published; null if not set. */
  getSetting(key: string): Promise<string | null>
  setSetting(key: string, value: string): Promise<void>

  close(): Promise<void>
}
