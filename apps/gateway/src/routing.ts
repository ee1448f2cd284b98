import { isAppid } from '@socklet/config'

/** Where a request goes: which app, and the URL as that app sees it. */
export interface Target {
  appid: string
  /** The app was named by the path and not by the Host. */
  byPath: boolean
  url: string
}

/** Host names, IPv4 and bracketed IPv6, with a port or without. */
const HOST = /^(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{0,5})?$/

/**
 * Finds the app that a request means (docs/clients.md). null: Host or URL cannot be understood.
 * The appid is not checked beyond its form: `''` stands for a path that names none.
 */
export function route(host: string | undefined, url: string, domain: string): Target | null {
  // Absolute-form and asterisk-form (RFC 9112, 3.2) are for proxies and for the server as a whole.
  if (!url.startsWith('/') || !isDecodable(pathOf(url))) return null
  const name = hostName(host)
  if (name === null) return null
  const appid = appidOfHost(name, domain.toLowerCase())
  if (appid !== null) return { appid, byPath: false, url }
  const path = pathOf(url)
  const slash = path.indexOf('/', 1)
  const first = slash === -1 ? path.slice(1) : path.slice(1, slash)
  const rest = url.slice(1 + first.length)
  return { appid: isAppid(first) ? first : '', byPath: true, url: rest.startsWith('/') ? rest : `/${rest}` }
}

/** Whether there is more than one Host line: then nobody can say what is meant (RFC 9112, 3.2). Node takes the first. */
export function hasTwoHosts(rawHeaders: string[]): boolean {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]!.length === 4 && rawHeaders[i]!.toLowerCase() === 'host') count++
  return count > 1
}

export function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

/** The function that a path names: all of it but the leading slash, decoded. The path was checked by `route`. */
export function functionOf(url: string): string {
  return decodeURIComponent(pathOf(url).slice(1))
}

function hostName(host: string | undefined): string | null {
  if (host === undefined || host === '') return ''
  const lower = host.toLowerCase()
  return HOST.test(lower) ? lower.replace(/:\d*$/, '') : null
}

function appidOfHost(name: string, domain: string): string | null {
  if (!name.endsWith(`.${domain}`)) return null
  const label = name.slice(0, -domain.length - 1)
  return isAppid(label) ? label : null
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}
