import type { Socket } from 'node:net'
import { buildConnector } from 'undici'
import { FetchError } from './errors.ts'
import { addressesOf, type Resolve } from './resolve.ts'

export interface ConnectOptions {
  resolve: Resolve
  /** Whether functions may reach this address: isPublicAddress, unless the operator lets them reach any. */
  isAllowed: (address: string) => boolean
  /** Certificates to trust in place of the usual ones: for tests. */
  ca?: string
}

const CONNECT_MS = 10_000
/** Of a name with many addresses so many are tried. */
const MAX_ADDRESSES = 4

type Target = buildConnector.Options

/**
 * How undici connects: the name is resolved once, here; all its addresses have to be public; and the connection goes to one
 * of these very addresses, so that nothing is gained by a name that says something else the next time. What is checked is
 * where the connection goes, for each connection, so it does not matter how the request came to it (redirects).
 * `onOpen` is told of each connection.
 */
export function guardedConnector({ resolve, isAllowed, ca }: ConnectOptions, onOpen: (socket: Socket) => void): buildConnector.connector {
  // Without a session cache and HTTP/2: nothing of one request is there in another but an open connection.
  const connect = buildConnector({ timeout: CONNECT_MS, allowH2: false, maxCachedSessions: 0, ...(ca === undefined ? {} : { ca }) })

  async function open(target: Target): Promise<Socket> {
    const addresses = await addressesOf(target.hostname, resolve)
    const refused = addresses.find((address) => !isAllowed(address))
    if (refused !== undefined || addresses.length === 0) throw notPublic(target.hostname, refused)
    let failure: unknown
    for (const address of addresses.slice(0, MAX_ADDRESSES)) {
      try {
        return await openAt(target, address)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async function openAt(target: Target, address: string): Promise<Socket> {
    // The name stays what the certificate is checked against. Without TLS it has no business here: undici would look it up.
    const servername = target.protocol === 'https:' ? target.servername : undefined
    const socket = await new Promise<Socket>((done, fail) => {
      connect({ ...target, hostname: address, servername }, (error, opened) => (error === null ? done(opened as Socket) : fail(error)))
    })
    // Where it really went: a second look at the one thing that must never go wrong.
    if (socket.remoteAddress !== undefined && isAllowed(socket.remoteAddress)) {
      onOpen(socket)
      return socket
    }
    socket.destroy()
    throw notPublic(target.hostname, socket.remoteAddress)
  }

  return (target, callback) => {
    open(target).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null)
    )
  }
}

function notPublic(hostname: string, address: string | undefined): FetchError {
  const what = address === undefined || address === hostname ? `${hostname}` : `${hostname} (${address})`
  return new FetchError('ERR_SOCKLET_ADDRESS', `${what} is not a public address`)
}
