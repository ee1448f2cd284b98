import { type ChildKind, type ChildSpec } from './child.ts'
import { Slot, TIMING, type SlotEvents, type Timing } from './slot.ts'

/** Clients go first; what serves them stays until they are gone. */
const STOP_ORDER: ChildKind[] = ['gateway', 'console', 'pool']
const TELL_MS = 5_000

/** The platform could not start. The message shows the last lines of the process at fault. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** Ports by the kind of the processes that listen there. */
export type Ports = Partial<Record<ChildKind, number>>

/**
 * Starts the processes of the platform one after the other, starts again what dies, and ends them in order.
 * An instance starts and stops once.
 */
export class Supervisor {
  readonly #slots: Slot[]
  readonly #ports: Ports = {}
  readonly #since = Date.now()
  readonly #write: (line: string) => void
  readonly #wake = Promise.withResolvers<'stopped'>()
  #state: 'starting' | 'running' | 'stopping' = 'starting'
  #arrived = new Map<Slot, () => void>()

  /** `children` in the order they start; `write` gets each line of their output. */
  constructor(children: ChildSpec[], write: (line: string) => void, timing: Timing = TIMING) {
    this.#write = write
    this.#wake.promise.catch(() => {})
    const events: SlotEvents = {
      port: (spec) => this.#ports[spec.kind],
      ready: (slot, port) => this.#onReady(slot, port),
      died: (slot, how, lines) => this.#onDied(slot, how, lines),
      line: (name, line) => write(`${name} | ${line}`)
    }
    this.#slots = children.map((spec) => new Slot(spec, events, timing))
  }

  /**
   * Settles with the ports when all processes are ready and know it, or with null if `stop` was called meanwhile.
   * @throws StartError if a process ends before; the others still run then.
   */
  async start(): Promise<Ports | null> {
    for (const slot of this.#slots) {
      const arrival = new Promise<void>((resolve) => this.#arrived.set(slot, resolve))
      slot.start()
      if ((await Promise.race([arrival, this.#wake.promise])) === 'stopped') return null
    }
    if ((await Promise.race([this.#tellAll(), this.#wake.promise])) === 'stopped') return null
    this.#state = 'running'
    return this.#ports
  }

  /** Ends all processes in order. */
  async stop(): Promise<void> {
    this.#state = 'stopping'
    this.#wake.resolve('stopped')
    void this.#tellAll()
    for (const kind of STOP_ORDER) {
      await Promise.all(this.#slots.filter((slot) => slot.spec.kind === kind).map((slot) => this.#stop(slot)))
    }
  }

  /** Ends all processes at once. */
  kill(): void {
    this.#state = 'stopping'
    for (const slot of this.#slots) slot.kill()
  }

  async #stop(slot: Slot): Promise<void> {
    if (!(await slot.stop())) this.#say(`${slot.spec.name} did not stop in time and was killed`)
  }

  #onReady(slot: Slot, port: number | undefined): void {
    if (port !== undefined) this.#ports[slot.spec.kind] = port
    this.#arrived.get(slot)?.()
    if (this.#state !== 'running') return
    this.#say(`${slot.spec.name} is ready again`)
    void this.#tellAll()
  }

  #onDied(slot: Slot, how: string, lines: string[]): void {
    const what = `${slot.spec.name} ${how}`
    if (this.#state === 'starting') {
      // Before the platform was ever ready it is no accident: whoever starts it has to see it.
      this.#wake.reject(new StartError([what, ...lines.map((line) => `  ${line}`)].join('\n')))
    } else if (this.#state === 'running') {
      this.#say(`${what}, and starts again in ${slot.startAgain()} ms`)
      void this.#tellAll()
    }
  }

  /** Tells every process that is up whether all of them are. Settles when they have heard it. */
  async #tellAll(): Promise<void> {
    const ready = this.#state !== 'stopping' && this.#slots.every((slot) => slot.up !== null)
    const restarts = Object.fromEntries(this.#slots.map(({ spec, restarts: times }) => [spec.name, times]))
    await Promise.all(this.#slots.map((slot) => slot.up?.tellPlatform({ ready, since: this.#since, restarts }, TELL_MS)))
  }

  #say(text: string): void {
    this.#write(`supervisor | ${text}`)
  }
}
