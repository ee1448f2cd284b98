import type { AppTraffic, CallMap, Control, GatewayCalls } from '@socklet/protocol'

/** A slow gateway must not keep a publish waiting for long. */
const CALL_TIMEOUT_MS = 5_000

type GatewayControl = Control<GatewayCalls, CallMap>

/** The gateways that are connected, by index. */
export class Gateways {
  readonly #stopping: (() => void)[] = []
  readonly #controls = new Map<number, { control: GatewayControl; pid: number }>()

  add(index: number, control: GatewayControl, pid: number): void {
    this.#controls.set(index, { control, pid })
  }

  remove(index: number, control: GatewayControl): void {
    if (this.#controls.get(index)?.control === control) this.#controls.delete(index)
    this.#lookWhetherAllStop()
  }

  /** Settles once each gateway that is there has called this. */
  untilAllStop(): Promise<void> {
    return new Promise((resolve) => {
      this.#stopping.push(resolve)
      this.#lookWhetherAllStop()
    })
  }

  #lookWhetherAllStop(): void {
    if (this.#stopping.length >= this.#controls.size) for (const resolve of this.#stopping.splice(0)) resolve()
  }

  get size(): number {
    return this.#controls.size
  }

  get pids(): { index: number; pid: number }[] {
    return [...this.#controls].map(([index, { pid }]) => ({ index, pid }))
  }

  get(index: number): GatewayControl | undefined {
    return this.#controls.get(index)?.control
  }

  /** By index. */
  get indexes(): number[] {
    return [...this.#controls.keys()].toSorted((a, b) => a - b)
  }

  /** Asks all, and settles when all have answered or gone away. */
  async all<M extends keyof GatewayCalls>(method: M, params: GatewayCalls[M]['params']): Promise<GatewayCalls[M]['result'][]> {
    const answers = await Promise.allSettled([...this.#controls.values()].map(({ control }) => control.call(method, params, CALL_TIMEOUT_MS)))
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value as GatewayCalls[M]['result']] : []))
  }

  tell<M extends keyof GatewayCalls>(method: M, params: GatewayCalls[M]['params']): void {
    for (const { control } of this.#controls.values()) control.note(method, params)
  }

  /** Traffic by app number, added up over the gateways. */
  async traffic(app?: number): Promise<Map<number, AppTraffic>> {
    const sums = new Map<number, AppTraffic>()
    for (const answer of await this.all('traffic', app === undefined ? {} : { app })) {
      for (const [number, traffic] of Object.entries(answer)) {
        const sum = sums.get(Number(number))
        sums.set(Number(number), sum === undefined ? traffic : addTraffic(sum, traffic))
      }
    }
    return sums
  }
}

function addTraffic(a: AppTraffic, b: AppTraffic): AppTraffic {
  return addUp(a as unknown as Numbers, b as unknown as Numbers) as unknown as AppTraffic
}

interface Numbers {
  [key: string]: number | Numbers
}

function addUp(a: Numbers, b: Numbers): Numbers {
  const sum: Numbers = { ...a }
  for (const [key, value] of Object.entries(b)) {
    const before = sum[key]
    if (typeof value === 'number') sum[key] = (typeof before === 'number' ? before : 0) + value
    else sum[key] = addUp(typeof before === 'object' ? before : {}, value)
  }
  return sum
}

export const NO_TRAFFIC: AppTraffic = Object.freeze({
  connections: 0,
  connectionsOpened: 0,
  events: { connection: 0, message: 0, close: 0, error: 0, request: 0 },
  messagesOut: 0,
  bytesIn: 0,
  bytesOut: 0,
  queueEvents: 0,
  queueBytes: 0,
  refused: {},
  limits: {}
})
