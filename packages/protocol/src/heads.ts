/** What is said once for a connection or request, as JSON: never for each message. */

import type { BinaryType } from './frame.ts'

/** First part of the payload of ATTACH: what a new isolate has to know. There may be many thousands at once. */
export interface AttachHead {
  /** `ctx.socket.id` */
  id: string
  protocol: string
  extensions: string
  /** Rooms that it has joined; absent is none. */
  rooms?: string[]
  /** Whether the app has paused it. */
  paused?: boolean
  /** Absent is the first of BINARY_TYPES. */
  binaryType?: BinaryType
  /** Whether the app has closed it, and it is not over yet. */
  closing?: boolean
}

/** First part of the payload of OPEN: what only the connection event says as well. */
export interface ConnectionHead extends AttachHead {
  /** Path and query as the app sees them, without the app's prefix. */
  url: string
  /** node's IncomingHttpHeaders */
  headers: Record<string, string | string[] | undefined>
}

/** Payload of UPGRADE: what a client asks that is not accepted yet. */
export interface UpgradeHead {
  requestId: string
  url: string
  headers: Record<string, string | string[] | undefined>
  address: string
  /** Subprotocols that the client offers, in its order. */
  protocols: string[]
}

/** First part of an UPGRADE_RESULT's payload. */
export type UpgradeResult =
  | { accept: true; /** Else the first one offered. */ protocol?: string; /** The payload goes on with `socket.data`. */ hasData?: boolean }
  | { accept: false; status: number; headers: [name: string, value: string][] }

/** Payload of ERROR: what the `ws` server reported of the connection. */
export interface ErrorHead {
  name: string
  message: string
  code?: string
}

/** First part of a REQUEST's payload. */
export interface RequestHead {
  requestId: string
  function: string
  method: string
  /** Path and query as the app sees them. */
  url: string
  headers: Record<string, string | string[] | undefined>
  address: string
}

/** First part of a RESPONSE's payload. */
export interface ResponseHead {
  status: number
  headers: [name: string, value: string][]
}

/** First part of a FETCH's payload: an outgoing request. */
export interface FetchHead {
  /** Absolute, http or https. */
  url: string
  method: string
  headers: [name: string, value: string][]
  redirect: 'follow' | 'error' | 'manual'
}

/** Payload of a FETCH_RESULT. */
export interface FetchResultHead {
  status: number
  statusText: string
  headers: [name: string, value: string][]
  /** Where the answer came from, after redirects. */
  url: string
  redirected: boolean
}

/** Payload of a FETCH_RESULT or FETCH_PART that failed: the `cause` of the error that the app gets. */
export interface FetchFailure {
  name: string
  message: string
  code: string
}
