import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { FetchResultHead } from '@socklet/protocol'
import type { Way } from './agents.ts'
import { ACCEPT_ENCODING, decoded } from './decode.ts'
import { FetchError } from './errors.ts'
import type { Outgoing } from './outgoing.ts'
import { MAX_REDIRECTS, isRedirect, redirected, tooManyRedirects } from './redirects.ts'

/** An answer whose body has not been read. */
export interface Incoming {
  head: FetchResultHead
  body: Readable
}

/** Sends where nothing is said, as Node's fetch does. */
const DEFAULTS: [string, string][] = [
  ['accept', '*/*'],
  ['accept-language', '*'],
  ['user-agent', 'socklet'],
  ['accept-encoding', ACCEPT_ENCODING]
]

/** Makes the request and follows where it is led. @throws FetchError, errors of undici and of sockets, or the signal's reason */
export async function send(first: Outgoing, way: Way, signal: AbortSignal): Promise<Incoming> {
  let request = first
  for (let hops = 0; ; hops++) {
    const answer = await sendOnce(request, way, signal)
    const headers = answer.headers
    const location = single(headers['location'])
    if (request.redirect === 'manual' || !isRedirect(answer.statusCode, location)) return incoming(request, answer, hops > 0)
    // Nothing of it is wanted; the connection goes on if it is short.
    void answer.body.dump({ limit: 16_384, signal }).catch(() => {})
    if (request.redirect === 'error') throw new FetchError('ERR_SOCKLET_FETCH_REDIRECTS', 'unexpected redirect')
    if (hops === MAX_REDIRECTS) throw tooManyRedirects()
    request = redirected(request, answer.statusCode, location)
  }
}

function sendOnce({ url, method, headers, body }: Outgoing, { agent, isCrowded }: Way, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const given = new Set(headers.map(([name]) => name.toLowerCase()))
  const all = [...headers, ...DEFAULTS.filter(([name]) => !given.has(name))]
  // The deadline of the whole is the caller's: undici's own for a silent server would only be another.
  const timing = { signal, headersTimeout: 0, bodyTimeout: 0, reset: isCrowded }
  return agent.request({ origin: url.origin, path: `${url.pathname}${url.search}`, method: method as Dispatcher.HttpMethod, headers: all.flat(), body, ...timing })
}

function incoming({ url, method }: Outgoing, { statusCode, statusText, headers, body }: Dispatcher.ResponseData & { statusText?: string }, wasRedirected: boolean): Incoming {
  const pairs = Object.entries(headers).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).flatMap((one): [string, string][] => (one === undefined ? [] : [[name, one]])))
  const hasBody = method !== 'HEAD' && statusCode !== 204 && statusCode !== 205 && statusCode !== 304
  return {
    head: { status: statusCode, statusText: statusText ?? '', headers: pairs, url: url.href, redirected: wasRedirected },
    body: hasBody ? decoded(body, listed(headers['content-encoding'])) : body
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

function listed(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value
}
