import { WEBSOCKET_FUNCTION } from '@socklet/config'
import type { UpgradeResult } from '@socklet/protocol'
import type { Socket } from 'node:net'
import type { App, EventDescription } from './app.ts'
import { Refusal } from './refuse.ts'
import { isHeader, maySet } from './responses.ts'

/** A page that says why, but not more: it is held for each client that is refused. */
const MAX_BODY_BYTES = 64 * 1024

/** What becomes of a client: the function's word, or the platform's. */
export type Verdict =
  | { accept: true; protocol: string | undefined; data: Uint8Array }
  | { accept: false; status: number; headers: [name: string, value: string][]; body: Uint8Array }
  | Refusal

/**
 * A client that waits for `upgrade(ctx)`. It is over when the verdict is there, the time is up or the client is gone;
 * what is left then is the event, until its handler has settled, so that those which hang are counted.
 */
export class PendingUpgrade {
  readonly number: number
  readonly requestId: string
  over = false
  readonly #app: App
  readonly #timer: NodeJS.Timeout
  /** Both null when it is over: the event may stay for longer than what the client brought. */
  #socket: Socket | null
  #onVerdict: ((verdict: Verdict) => void) | null

  constructor(app: App, requestId: string, socket: Socket, onVerdict: (verdict: Verdict) => void) {
    this.#app = app
    this.number = app.gateway.numbers.take()
    this.requestId = requestId
    this.#socket = socket
    this.#onVerdict = onVerdict
    this.#timer = setTimeout(() => this.refuse(new Refusal('upgrade_failed')), app.gateway.times.upgradeHook).unref()
    socket.on('close', this.#onGone).on('end', this.#onGone)
    app.upgrades.set(this.number, this)
  }

  decide(verdict: Verdict): void {
    this.#end()?.onVerdict(verdict)
  }

  refuse(refusal: Refusal): void {
    this.decide(refusal)
  }

  /** The handler is done: what it has not decided by now it never will. */
  onEventSettled(): void {
    this.#app.upgrades.delete(this.number)
    this.#app.gateway.numbers.free(this.number)
    this.refuse(new Refusal('upgrade_failed'))
  }

  describe(): EventDescription {
    return { name: `upgrade ${this.requestId}`, functionName: WEBSOCKET_FUNCTION, requestId: this.requestId, connection: '' }
  }

  /** Half-closing before the handshake is done is going away as well: nobody would hear the answer. */
  readonly #onGone = (): void => {
    this.#end()?.socket.destroy()
  }

  #end(): { socket: Socket; onVerdict: (verdict: Verdict) => void } | null {
    if (this.over) return null
    this.over = true
    clearTimeout(this.#timer)
    const socket = this.#socket!
    const onVerdict = this.#onVerdict!
    socket.off('close', this.#onGone).off('end', this.#onGone)
    this.#socket = null
    this.#onVerdict = null
    return { socket, onVerdict }
  }
}

/** The worker says what the function decided. */
export function onUpgradeResult(upgrade: PendingUpgrade, head: Buffer, rest: Buffer): void {
  upgrade.decide(verdictOf(parse(head), rest))
}

function verdictOf(result: UpgradeResult | null, rest: Buffer): Verdict {
  if (result?.accept === true) {
    const { protocol } = result
    return { accept: true, protocol: typeof protocol === 'string' ? protocol : undefined, data: result.hasData === true ? rest : rest.subarray(0, 0) }
  }
  if (result?.accept !== false || rest.byteLength > MAX_BODY_BYTES || !Array.isArray(result.headers)) return new Refusal('upgrade_failed')
  const { status } = result
  const headers = result.headers.filter((header) => isHeader(header) && maySet(...header))
  // Another would not refuse. The guest gives none.
  return { accept: false, status: Number.isInteger(status) && status >= 300 && status <= 599 ? status : 500, headers, body: rest }
}

function parse(json: Buffer): UpgradeResult | null {
  try {
    return JSON.parse(json.toString()) as UpgradeResult | null
  } catch {
    return null
  }
}
