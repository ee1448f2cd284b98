import { FetchError } from './errors.ts'
import { readUrl, type Outgoing } from './outgoing.ts'

export const MAX_REDIRECTS = 20

const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** Fetch Standard, "request-body-header name". */
const OF_BODY = new Set(['content-encoding', 'content-language', 'content-location', 'content-type'])
/** Not for the host that a redirect leads to (Fetch Standard, "HTTP-redirect fetch", step 13, and curl's rule for cookies). */
const OF_ORIGIN = new Set(['authorization', 'cookie', 'cookie2', 'proxy-authorization'])

/** Whether the answer leads elsewhere. */
export function isRedirect(status: number, location: string | undefined): location is string {
  return location !== undefined && REDIRECTS.has(status)
}

/** The request that an answer leads to (Fetch Standard, "HTTP-redirect fetch"). @throws FetchError if it leads to where none may go */
export function redirected(request: Outgoing, status: number, location: string): Outgoing {
  const url = readUrl(location, request.url)
  // A fragment goes along, unless there is a new one (RFC 9110, section 10.2.2).
  if (url.hash === '') url.hash = request.url.hash
  const becomesGet = ((status === 301 || status === 302) && request.method === 'POST') || (status === 303 && request.method !== 'GET' && request.method !== 'HEAD')
  const sameOrigin = url.origin === request.url.origin
  const headers = request.headers.filter(([name]) => {
    const lower = name.toLowerCase()
    return !(becomesGet && OF_BODY.has(lower)) && (sameOrigin || !OF_ORIGIN.has(lower))
  })
  return { ...request, url, headers, method: becomesGet ? 'GET' : request.method, body: becomesGet ? null : request.body }
}

export function tooManyRedirects(): FetchError {
  return new FetchError('ERR_SOCKLET_FETCH_REDIRECTS', `more than ${MAX_REDIRECTS} redirects`)
}
