/** Somewhere that functions run. */
export interface Backend {
  readonly name: string
  /** Starts a `__websocket__` function of this source. */
  run(source: string): Promise<Running>
  close(): Promise<void>
}

export interface Running {
  readonly url: string
  /** Messages in the app's log, newest first, where there is one. */
  logs(): Promise<string[]>
  stop(): Promise<void>
}
