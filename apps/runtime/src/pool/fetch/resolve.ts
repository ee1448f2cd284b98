import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { FetchError } from './errors.ts'

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<string[]>

const TRY_MS = 2_000
const TRIES = 2

/**
 * Asks the name servers of the machine, and not its libc: that has four threads for the whole process, which a tenant whose
 * name servers are slow would keep from everybody, and also knows names of the machine's own (hosts file, search domains).
 */
export function makeResolve(): Resolve {
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES })
  return async (hostname) => {
    if (isLocalhost(hostname)) return ['127.0.0.1', '::1']
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    if (addresses.length === 0) throw new FetchError('ENOTFOUND', `${hostname} has no address`)
    return addresses
  }
}

/** RFC 6761, section 6.3: these names are loopback wherever they are asked for. */
function isLocalhost(hostname: string): boolean {
  return /^(?:.*\.)?localhost\.?$/i.test(hostname)
}

/** The addresses of a host of a URL, in which brackets are gone. @throws FetchError, or what `resolve` throws */
export async function addressesOf(hostname: string, resolve: Resolve): Promise<string[]> {
  return isIP(hostname) === 0 ? await resolve(hostname) : [hostname]
}
