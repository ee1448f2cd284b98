/** What a gateway is started with, and the times it keeps to. */
export interface Settings {
  /** Which of the platform's gateways this is. */
  index: number
  host: string
  /** 0 picks a free one. */
  port: number
  /** Apps are reached at `<appid>.<domain>`. */
  domain: string
  /** A proxy in front says who the client is. Without one, what a client says of itself is not believed. */
  trustProxy: boolean
  /** What may wait for all apps together. */
  queueBytes: number
  /** What may wait for slow clients of all apps together. */
  sendBufferBytes: number
  /** Other gateways listen on the same port. */
  reusePort: boolean
  /** The pool's Unix socket. */
  poolSocket: string
  /** The Unix socket on which links from workers arrive. */
  linkSocket: string
  /** A supervisor says when the platform is ready; without one the link to the pool decides. */
  supervised: boolean
  /** Times in milliseconds; tests set them shorter. */
  times?: Partial<Times>
}

export const TIMES = {
  /** Between two pings of a connection; a peer that sent nothing from one to the next is gone. */
  heartbeat: 30_000,
  /** A connection may be over its message rate for as long as this. */
  rateGrace: 10_000,
  /** A client that reads too slowly has this long to take the close frame. */
  slowClose: 3_000,
  /** Closing handshake, as `closeTimeout` of ws. */
  closeHandshake: 10_000,
  /** An upgrade waits this long for a worker. */
  place: 15_000,
  /** `upgrade(ctx)` decides within this time (docs/clients.md). */
  upgradeHook: 5_000,
  /** Before `place` is asked again after an answer that says nothing of the app. */
  placeRetry: 1_000,
  /** How long "there is no such app" is believed. */
  unknownApp: 1_000,
  /** Growing pauses between attempts to reach the pool. */
  reconnectMin: 50,
  reconnectMax: 200,
  /** How long a client that arrives waits for a pool that is not there. */
  poolBack: 3_000,
  /** A worker link has to say whose it is within this time. */
  linkHello: 5_000
}

export type Times = typeof TIMES
