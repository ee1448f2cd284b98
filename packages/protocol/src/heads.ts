/** What is said once for a connection or request, as JSON: never for each message. */

/** Payload of OPEN and ATTACH. */
export interface ConnectionHead {
  /** `ctx.socket.id` */
  id: string
  /** Path and query as the app sees them, without the app's prefix. */
  url: string
  /** node's IncomingHttpHeaders */
  headers: Record<string, string | string[] | undefined>
  protocol: string
  extensions: string
}

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
