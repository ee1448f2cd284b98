/** Names that tenants give, and what they may look like. */

const APPID = /^[a-z][a-z0-9-]{1,30}[a-z0-9]$/
/** Paths of the platform itself on the gateway's port. */
const RESERVED_APPIDS = new Set(['healthz', 'readyz'])
/** laf's rule: letters, digits, `_ . - /`, no slash at either end. */
const FUNCTION_NAME = /^[a-zA-Z0-9_.-](?:[a-zA-Z0-9_./-]{0,254}[a-zA-Z0-9_.-])?$/
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/

export const WEBSOCKET_FUNCTION = '__websocket__'

export function isAppid(value: string): boolean {
  return APPID.test(value) && !isReservedAppid(value)
}

/** No app can have it, though it looks like an appid. */
export function isReservedAppid(value: string): boolean {
  return RESERVED_APPIDS.has(value)
}

/** `./` anywhere in a name would make it a path, so laf refuses it; a last segment `.` or `..` would vanish from a URL. */
export function isFunctionName(value: string): boolean {
  const last = value.slice(value.lastIndexOf('/') + 1)
  return FUNCTION_NAME.test(value) && !value.includes('./') && last !== '.' && last !== '..'
}

export function isEnvName(value: string): boolean {
  return ENV_NAME.test(value)
}
