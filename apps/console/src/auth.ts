import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Catalog, TokenScope } from '@socklet/catalog'
import { UserFault } from './errors.ts'

/**
 * What a route asks of its caller.
 *
 * `read` all that there is to see of an app but its tokens, `deploy` that and its functions and environment,
 * `admin` all of the app but what the operator decides: limits, state, and whether it exists. Those and all
 * that concerns more than one app take the platform's own token: `platform`.
 */
export type Access = 'public' | 'metrics' | 'read' | 'deploy' | 'admin' | 'platform'

export type Caller = { kind: 'public' } | { kind: 'platform' } | { kind: 'metrics' } | { kind: 'app'; appid: string; scopes: TokenScope[] }

const TOKEN_PREFIX = 'skt_'
/** What a scope includes. */
const REACH: Record<TokenScope, readonly Access[]> = {
  read: ['read'],
  deploy: ['read', 'deploy'],
  admin: ['read', 'deploy', 'admin']
}

/** A new secret: recognisable in a leak by its prefix, and too long to be guessed. */
export function newSecret(): string {
  return TOKEN_PREFIX + randomBytes(32).toString('base64url')
}

/** As a token is stored: of 32 random bytes, a plain digest gives nothing away. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret)
}

export class Auth {
  readonly #catalog: Catalog
  readonly #admin: Buffer
  readonly #metrics: Buffer | null

  constructor(options: { adminToken: string; metricsToken: string | null; catalog: Catalog }) {
    this.#catalog = options.catalog
    this.#admin = digest(options.adminToken)
    this.#metrics = options.metricsToken === null ? null : digest(options.metricsToken)
  }

  /** Who sends this `Authorization` header. @throws UserFault `unauthorized` */
  async authenticate(header: string | undefined): Promise<Caller> {
    const secret = /^Bearer +([^\s]+) *$/i.exec(header ?? '')?.[1]
    if (secret === undefined) throw new UserFault('unauthorized', 'this needs the header `Authorization: Bearer TOKEN`')
    const given = digest(secret)
    if (timingSafeEqual(given, this.#admin)) return { kind: 'platform' }
    if (this.#metrics !== null && timingSafeEqual(given, this.#metrics)) return { kind: 'metrics' }
    // Found by digest, so how long the look-up takes tells nothing about the secret.
    const token = secret.startsWith(TOKEN_PREFIX) ? await this.#catalog.findToken(given.toString('hex')) : null
    if (token === null) throw new UserFault('unauthorized', 'the token is unknown')
    if (token.expiresAt !== null && token.expiresAt <= Date.now()) throw new UserFault('unauthorized', 'the token has expired')
    return { kind: 'app', appid: token.appid, scopes: token.scopes }
  }

  /**
   * Refuses a caller that may not do this. Another app's id gives the same answer whether or not
   * there is such an app.
   * @throws UserFault `forbidden`
   */
  allow(caller: Caller, access: Access, appid?: string): void {
    if (access === 'public' || caller.kind === 'platform') return
    if (caller.kind === 'metrics' && access === 'metrics') return
    if (caller.kind !== 'app' || access === 'platform' || access === 'metrics') throw new UserFault('forbidden', `this needs ${needs(access)}`)
    if (caller.appid !== appid) throw new UserFault('forbidden', 'the token is for another app')
    if (!caller.scopes.some((scope) => REACH[scope].includes(access))) throw new UserFault('forbidden', `this needs ${needs(access)}`)
  }
}

function needs(access: Access): string {
  if (access === 'platform') return "the platform's admin token"
  if (access === 'metrics') return "the platform's admin token or the metrics token"
  return `a token of the app with the scope ${access}`
}

function digest(secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}
