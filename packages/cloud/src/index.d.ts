/**
 * What functions import: `import cloud from '@socklet/cloud'` (or `'@lafjs/cloud'`, which is the same). This package
 * has the types for editors; on the platform the module is there without being installed.
 */

export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments'

/** A client's WebSocket, as the server-side WebSocket of `ws` 8. The same object in every event of its connection. */
export interface Socket {
  /** Unique for the life of the platform. */
  readonly id: string
  readonly readyState: 0 | 1 | 2 | 3
  readonly CONNECTING: 0
  readonly OPEN: 1
  readonly CLOSING: 2
  readonly CLOSED: 3
  readonly protocol: string
  readonly extensions: string
  readonly url: string
  binaryType: BinaryType
  send(data: string | number | ArrayBufferLike | ArrayBufferView | readonly number[] | null | undefined, done?: (error?: Error) => void): void
  send(data: string | number | ArrayBufferLike | ArrayBufferView | readonly number[] | null | undefined, options: { binary?: boolean }, done?: (error?: Error) => void): void
  close(code?: number, reason?: string | Uint8Array): void
  terminate(): void
  on(event: 'message', listener: (data: Buffer | ArrayBuffer, isBinary: boolean) => void): this
  on(event: 'close', listener: (code: number, reason: Buffer) => void): this
  on(event: 'error', listener: (error: Error) => void): this
  once(event: string, listener: (...args: never[]) => void): this
  off(event: string, listener: (...args: never[]) => void): this
  /** Functions keep what they like on a socket; later events find it there. */
  // eslint-disable-next-line
  [property: string]: any
}

export interface Cloud {
  readonly appid: string
  /** One Map for all functions of the app. */
  readonly shared: Map<any, any>
  /** The app's open sockets. */
  readonly sockets: ReadonlySet<Socket> & { get(id: string): Socket | undefined }
  readonly env: Record<string, string | undefined>
  /** Calls another function of the app. */
  invoke(name: string, ctx?: Record<string, unknown>): Promise<unknown>
}

/** What `main(ctx)` is called with. For WebSocket events `method` tells which, and `params` and `socket` are there. */
export interface FunctionContext {
  method: string
  params: any
  requestId: string
  socket: Socket
  headers: Record<string, string | string[] | undefined>
  url?: string
  query: any
  body: any
  request: any
  response: any
  __function_name: string
  /** true when the event is delivered again, because a worker died while it was handled. */
  redelivered?: boolean
}

declare const cloud: Cloud
export default cloud
