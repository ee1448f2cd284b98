import type { Client } from '../support/client.ts'

/** One claim about the socket: what the function does, what the client does, and what comes of it. */
export interface Row {
  /** The member, as the table in docs/websocket-api.md names it. */
  member: string
  /** What holds; with the member, the name of the test. */
  says: string
  /** Code of the function outside of its handler: imports and variables. */
  top?: string
  /** Body of the handler. It has `ctx`, `socket`, `method` (without `WebSocket:`), and what prelude.ts gives. */
  source: string
  /** Subprotocols that the client offers. */
  protocols?: string[]
  /** What is observed; without it, as many reports as are expected. */
  client?: (session: Session) => Promise<unknown>
  expects: unknown
  /** What the platform does where it differs on purpose. The table says why. */
  ours?: unknown
  /** On a bare `ws` server this would end the process, or there is no such thing. */
  onlyOurs?: true
}

export interface Session {
  readonly client: Client
  /** The next thing that the function reported. */
  report(): Promise<unknown>
  reports(count: number): Promise<unknown[]>
  /** Calls `onCommand(text)` in the function, past the client's socket. */
  command(text: string): void
  /** Another client of the same function. */
  connect(): Promise<Client>
  /** Messages in the app's log, newest first. Empty on a bare `ws` server. */
  logs(): Promise<string[]>
}
