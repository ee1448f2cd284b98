/**
 * What functions import: `import cloud from '@socklet/cloud'` (or `'@lafjs/cloud'`, which is the same). This package
 * has the types for editors; on the platform the module is there without being installed.
 */

export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob'

/** What `send` takes, as in `ws`. */
export type SendData =
  | string
  | number
  | ArrayBufferLike
  | ArrayBufferView
  | Blob
  | readonly number[]
  | { valueOf(): ArrayBufferLike | Uint8Array | readonly number[] | string }
  | { [Symbol.toPrimitive](hint: string): string }
  | null
  | undefined

export interface SendOptions {
  /** Default: whether the data is not text. */
  binary?: boolean
  /** The gateway decides. */
  compress?: boolean
  /** false: more parts of this message are to come. The client gets them as one, when the last one is sent. */
  fin?: boolean
  mask?: boolean
}

/** Called when the gateway has written it, or with the reason why it was not. The types of `ws` do not know of the null that is there without one. */
export type Done = (error?: Error) => void

interface SocketEvents {
  message: [data: Buffer | ArrayBuffer | Buffer[] | Blob, isBinary: boolean]
  close: [code: number, reason: Buffer]
  error: [error: Error]
  ping: [data: Buffer]
  pong: [data: Buffer]
}

export interface SocketEvent {
  readonly type: string
  /** The socket. Not so typed, because sockets are given to libraries that know the events of `ws`. */
  readonly target: any
}
export interface MessageEvent extends SocketEvent {
  readonly data: string | Buffer | ArrayBuffer | Buffer[] | Blob
}
export interface CloseEvent extends SocketEvent {
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
}
export interface ErrorEvent extends SocketEvent {
  readonly error: Error
  readonly message: string
}
interface WebEvents {
  message: MessageEvent
  close: CloseEvent
  error: ErrorEvent
  open: SocketEvent
}
type WebHandler<E> = ((event: E) => void) | { handleEvent(event: E): void }

/** A client's WebSocket, as the server-side WebSocket of `ws` 8. The same object in every event of its connection. */
export interface Socket {
  /** Unique for the life of the platform. */
  readonly id: string
  /** Any structured-cloneable value of 16 KiB at most; survives publishing, hibernation and crashes. Changes inside it are kept too. */
  data: any
  /** The rooms that it is in. A copy. */
  readonly rooms: Set<string>
  /** Names are strings of 1 to 256 UTF-16 units; a socket is in 1,000 rooms at most. */
  join(room: string): this
  leave(room: string): this

  readonly readyState: 0 | 1 | 2 | 3
  readonly CONNECTING: 0
  readonly OPEN: 1
  readonly CLOSING: 2
  readonly CLOSED: 3
  readonly protocol: string
  readonly extensions: string
  /** undefined in truth, as on the server side of `ws`, whose types say so as well. */
  readonly url: string
  readonly isPaused: boolean
  /** Bytes that wait for the client to read them, as the gateway said last, and what this turn has sent. */
  readonly bufferedAmount: number
  /** `blob` only where there is a `Blob`, which the types of `ws` do not know; an unknown value is ignored. */
  get binaryType(): Exclude<BinaryType, 'blob'>
  set binaryType(type: BinaryType)
  send(data: SendData, done?: Done): void
  send(data: SendData, options: SendOptions, done?: Done): void
  /** 125 bytes at most. */
  ping(data?: SendData, mask?: boolean, done?: Done): void
  ping(data: SendData, done: Done): void
  ping(done: Done): void
  pong(data?: SendData, mask?: boolean, done?: Done): void
  pong(data: SendData, done: Done): void
  pong(done: Done): void
  close(code?: number, reason?: string | Uint8Array): void
  terminate(): void
  /** The client is not read until `resume()`. */
  pause(): void
  resume(): void

  on<E extends keyof SocketEvents>(event: E, listener: (this: Socket, ...args: SocketEvents[E]) => void): this
  addListener<E extends keyof SocketEvents>(event: E, listener: (this: Socket, ...args: SocketEvents[E]) => void): this
  once<E extends keyof SocketEvents>(event: E, listener: (this: Socket, ...args: SocketEvents[E]) => void): this
  prependListener<E extends keyof SocketEvents>(event: E, listener: (this: Socket, ...args: SocketEvents[E]) => void): this
  prependOnceListener<E extends keyof SocketEvents>(event: E, listener: (this: Socket, ...args: SocketEvents[E]) => void): this
  off(event: string, listener: (...args: any[]) => void): this
  removeListener(event: string, listener: (...args: any[]) => void): this
  removeAllListeners(event?: string): this
  listenerCount(event: string): number
  listeners(event: string): ((...args: any[]) => void)[]
  rawListeners(event: string): ((...args: any[]) => void)[]
  emit(event: string, ...args: any[]): boolean
  getMaxListeners(): number
  setMaxListeners(count: number): this
  eventNames(): (string | symbol)[]

  onopen: ((event: SocketEvent) => void) | null
  onmessage: ((event: MessageEvent) => void) | null
  onclose: ((event: CloseEvent) => void) | null
  onerror: ((event: ErrorEvent) => void) | null
  addEventListener<E extends keyof WebEvents>(type: E, handler: WebHandler<WebEvents[E]>, options?: { once?: boolean }): void
  removeEventListener<E extends keyof WebEvents>(type: E, handler: WebHandler<WebEvents[E]>): void

  /** Functions keep what they like on a socket; later events find it there. */
  // eslint-disable-next-line
  [property: string]: any
}

export interface BroadcastOptions {
  /** Who does not get it. */
  except?: Socket | Iterable<Socket> | null
  binary?: boolean
}

/** The sockets in a room, now and later. */
export interface Room extends Iterable<Socket> {
  readonly name: string
  readonly size: number
  has(socket: Socket): boolean
  values(): IterableIterator<Socket>
  forEach(each: (socket: Socket, same: Socket, room: Room) => void, receiver?: unknown): void
  /** One message to all in the room: one command, however many they are. */
  send(data: SendData, options?: BroadcastOptions): void
}

/** The app's open sockets: a live Set. */
export interface Sockets extends ReadonlySet<Socket> {
  /** The open socket with this id. */
  get(id: string): Socket | undefined
  in(room: string): Room
  /** One message to all clients of the app: one command, however many they are. */
  send(data: SendData, options?: BroadcastOptions): void
}

/**
 * A live Map, whose content is kept: keys and values of all kinds that structured clone knows, and sockets, as references.
 * Changes inside stored Maps, Sets, arrays and plain objects are kept as well, with or without another `set`.
 * Class instances come back as plain data, functions not at all; the app's log says so once for each key.
 * `set`, also of a Map inside, throws a RangeError where the limits sharedBytes and sharedKeys are reached.
 */
export interface Shared extends Map<any, any> {
  /**
   * Sets the key to what `change` makes of its value, and gives that. Updates of one key come one after the other, also
   * where `change` is asynchronous.
   */
  update<T = any>(key: unknown, change: (value: T | undefined) => T | Promise<T>): Promise<T>
}

/** What `cloud.fetch` takes: as axios, as far as functions use it. See docs/fetch.md. */
export interface FetchConfig {
  url?: string | URL
  baseURL?: string
  /** Default: get. */
  method?: string
  headers?: Record<string, string | number | readonly string[] | null | undefined>
  /** Go into the query: `a[]=1` for lists, `a[b]=1` for objects. */
  params?: URLSearchParams | Record<string, any>
  /** An object is sent as JSON, or as a form where the content type says so; text, bytes, Blob, FormData and URLSearchParams as they are. */
  data?: any
  /** Milliseconds; 0 is only the limit `fetchMs`. */
  timeout?: number
  /** Default: JSON where the answer is JSON, else text. `stream` gives what can be read by `for await`. */
  responseType?: 'json' | 'text' | 'arraybuffer' | 'blob' | 'stream'
  /** Which answers are no errors; null: all. Default: 200 to 299. */
  validateStatus?: ((status: number) => boolean) | null
  /** 0: redirects are answers. Any other number is 20. */
  maxRedirects?: number
  auth?: { username?: string; password?: string }
  signal?: AbortSignal
}

export interface FetchResult<T = any> {
  status: number
  statusText: string
  /** Names in lower case. */
  headers: Record<string, string | string[]>
  data: T
  config: FetchConfig
}

/** What `cloud.fetch` rejects with: with `response` if there was an answer, without if there was none. */
export interface FetchError<T = any> extends Error {
  readonly isAxiosError: true
  readonly code: string
  readonly status?: number
  readonly config: FetchConfig
  readonly response?: FetchResult<T>
}

export interface Fetch {
  <T = any>(config: FetchConfig): Promise<FetchResult<T>>
  <T = any>(url: string | URL, config?: FetchConfig): Promise<FetchResult<T>>
  request<T = any>(config: FetchConfig): Promise<FetchResult<T>>
  get<T = any>(url: string | URL, config?: FetchConfig): Promise<FetchResult<T>>
  delete<T = any>(url: string | URL, config?: FetchConfig): Promise<FetchResult<T>>
  head<T = any>(url: string | URL, config?: FetchConfig): Promise<FetchResult<T>>
  options<T = any>(url: string | URL, config?: FetchConfig): Promise<FetchResult<T>>
  post<T = any>(url: string | URL, data?: any, config?: FetchConfig): Promise<FetchResult<T>>
  put<T = any>(url: string | URL, data?: any, config?: FetchConfig): Promise<FetchResult<T>>
  patch<T = any>(url: string | URL, data?: any, config?: FetchConfig): Promise<FetchResult<T>>
  /** The same with these in front of each config. */
  create(defaults?: FetchConfig): Fetch
  isAxiosError(error: unknown): error is FetchError
  readonly defaults: FetchConfig
}

export interface Cloud {
  readonly appid: string
  /** One Map for all functions of the app. What is in it outlives publishing, sleep, crashes and restarts. */
  readonly shared: Shared
  readonly sockets: Sockets
  readonly env: Record<string, string | undefined>
  /** Asks another server, as axios does. `fetch` is there as well. */
  readonly fetch: Fetch
  /**
   * A JSON Web Token (HS256), signed with SERVER_SECRET of the app's environment, or with a secret that only this app has. A plain object gets `iat`; `exp` and `nbf`,
   * in seconds since 1970, bound its life. A text is signed as it is.
   * @throws TypeError if it can be no payload
   */
  getToken(payload: string | object, secret?: string | Uint8Array): string
  /** The payload; null if anything is wrong with the token: its signature, its form, its time. */
  parseToken<T = any>(token: string | null | undefined, secret?: string | Uint8Array): T | null
  /** Calls another function of the app. */
  invoke(name: string, ctx?: Record<string, unknown>): Promise<unknown>
}

/** What `upgrade(ctx)` of `__websocket__` is called with, before a client is accepted. */
export interface UpgradeContext {
  method: 'WebSocket:upgrade'
  params: null
  requestId: string
  /** Path and query. */
  url: string
  headers: Record<string, string | string[] | undefined>
  query: any
  /** Subprotocols that the client offers, in its order. */
  protocols: string[]
  /** The client's address. */
  ip: string
  __function_name: string
  /** true when it is asked again, because a worker died while it was deciding. */
  redelivered?: boolean
}

/** Nothing or true accepts, false refuses with 403. What is none of these refuses with 500, and the app's log tells why. */
export type UpgradeDecision =
  | void
  | null
  | boolean
  | { /** 300 to 599. */ status: number; headers?: Record<string, string | number | readonly string[]>; body?: string | Uint8Array | object }
  | { /** One that the client offers; else its first is accepted. */ protocol?: string; /** The first `socket.data`. */ data?: unknown }

/** What `ctx.request` and `ctx.response` are besides: emitters, as Node's streams. */
interface HttpMessage {
  /** The client has left, or has the whole answer. */
  readonly closed: boolean
  readonly destroyed: boolean
  on(event: string, listener: (...args: any[]) => void): this
  once(event: string, listener: (...args: any[]) => void): this
  off(event: string, listener: (...args: any[]) => void): this
  /** What else an emitter has, and what functions keep on it. */
  // eslint-disable-next-line
  [property: string]: any
}

/** A file of a body of multipart/form-data, as multer's memory storage gives it. */
export interface UploadedFile {
  /** The name of the field. */
  fieldname: string
  /** As the client calls the file, without folders. */
  originalname: string
  /** The part's Content-Transfer-Encoding; the bytes are as they came. */
  encoding: string
  /** As the client says. */
  mimetype: string
  /** Bytes. */
  size: number
  buffer: Buffer
}

/** `ctx.request`: of express' request. `aborted` is heard if the client leaves before it has the whole answer, `close` then and when it has it. */
export interface HttpRequest extends HttpMessage {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly originalUrl: string
  readonly path: string
  readonly headers: Record<string, string | string[] | undefined>
  readonly query: any
  readonly params: Record<string, string>
  readonly body: any
  readonly files: UploadedFile[] | undefined
  /** As `ctx.user`. */
  readonly user: any
  /** The first of each name; `j:` is JSON. */
  readonly cookies: Record<string, any>
  /** The client's address. */
  readonly ip: string
  /** Of the Host header, without the port. */
  readonly hostname: string | undefined
  /** `https` if a proxy in front says so. */
  readonly protocol: string
  readonly secure: boolean
  readonly aborted: boolean
  get(name: string): string | string[] | undefined
  header(name: string): string | string[] | undefined
}

export interface CookieOptions {
  domain?: string
  encode?: (value: string) => string
  expires?: Date
  httpOnly?: boolean
  /** Milliseconds. */
  maxAge?: number
  path?: string
  sameSite?: boolean | string
  secure?: boolean
}

/**
 * `ctx.response`: of express' response. `close` is heard if the client leaves, and whoever streams can stop then; `finish` and `close` are heard
 * when the answer is complete.
 */
export interface HttpResponse extends HttpMessage {
  /** 200 to 999; another one is a RangeError when the head is sent. */
  statusCode: number
  readonly headersSent: boolean
  readonly finished: boolean
  readonly writable: boolean
  readonly writableEnded: boolean
  readonly writableFinished: boolean
  status(code: number): this
  sendStatus(code: number): this
  /** @throws TypeError if a header can have no such name or value */
  setHeader(name: string, value: string | number | readonly string[]): this
  getHeader(name: string): string | string[] | undefined
  hasHeader(name: string): boolean
  getHeaders(): Record<string, string | string[]>
  removeHeader(name: string): void
  set(name: string, value: unknown): this
  set(headers: Record<string, unknown>): this
  header(name: string, value: unknown): this
  header(headers: Record<string, unknown>): this
  get(name: string): string | string[] | undefined
  append(name: string, value: string | readonly string[]): this
  /** A content type, or what names one: `json`, `html`, `.png`, `a.csv`. */
  type(name: string): this
  contentType(name: string): this
  location(url: string): this
  redirect(url: string): this
  redirect(status: number, url: string): this
  vary(names: string | readonly string[]): this
  attachment(fileName?: string): this
  cookie(name: string, value: unknown, options?: CookieOptions): this
  clearCookie(name: string, options?: CookieOptions): this
  writeHead(status: number, headers?: Record<string, unknown>): this
  writeHead(status: number, text: string, headers?: Record<string, unknown>): this
  flushHeaders(): void
  /** false if the client has left. */
  write(chunk: string | Uint8Array | ArrayBuffer, done?: Done): boolean
  write(chunk: string | Uint8Array | ArrayBuffer, encoding: string, done?: Done): boolean
  end(done?: Done): this
  end(chunk: string | Uint8Array | ArrayBuffer | null, done?: Done): this
  end(chunk: string | Uint8Array | ArrayBuffer, encoding: string, done?: Done): this
  send(body?: unknown): this
  json(body: unknown): this
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
  /** Of a body of multipart/form-data; undefined otherwise. HTTP functions only. */
  files?: UploadedFile[]
  /** The payload of the token in `Authorization: Bearer TOKEN` (`cloud.getToken`); null without a good one. HTTP functions only. */
  user: any
  request: HttpRequest
  response: HttpResponse
  __function_name: string
  /** true when the event is delivered again, because a worker died while it was handled. */
  redelivered?: boolean
}

declare const cloud: Cloud
export default cloud
