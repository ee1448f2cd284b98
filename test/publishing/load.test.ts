import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect, type Client } from '../support/client.ts'
import { startPlatform, type Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'

const CLIENTS = 200
const PUBLISHES = 50
const ROLLBACKS = 20
/** The contract is 50 ms where the machine has room for the load. Here the clients, and other tests, use its cores too. */
const P50_MS = 500

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

const source = (label: number): string => `
  const label: number = ${label}
  export const main = (ctx: any) => {
    if (ctx.method === 'WebSocket:message') ctx.socket.send(label + ' ' + ctx.params.data)
  }`

/** What was published, in order. A label stands here again for each time that its code was rolled back to. */
class History {
  readonly labels: number[] = []
  /** How many of them are in force for sure. */
  confirmed = 0

  /** The first place from `from` on where the label was published; -1 if there is none. */
  find(label: number, from: number): number {
    return this.labels.indexOf(label, from)
  }
}

/** Sends the next message when the last one is answered, until it is told to stop. */
class Sender {
  readonly client: Client
  readonly #history: History
  #place = 0
  #confirmedAtSend = 0
  #sent = 0
  answered = 0
  stopping = false
  wrong: string[] = []
  isClosed = false
  readonly done: Promise<void>

  constructor(client: Client, history: History) {
    this.client = client
    this.#history = history
    const done = Promise.withResolvers<void>()
    this.done = done.promise
    client.ws.on('close', () => {
      this.isClosed = true
      done.resolve()
    })
    client.ws.on('message', (data) => {
      this.#check(String(data))
      this.answered++
      if (this.stopping) done.resolve()
      else this.#send()
    })
    this.#send()
  }

  #send(): void {
    this.#confirmedAtSend = this.#history.confirmed
    this.client.ws.send(String(++this.#sent))
  }

  #check(answer: string): void {
    const [label, number, ...more] = answer.split(' ')
    const place = this.#history.find(Number(label), Math.max(this.#place, this.#confirmedAtSend - 1))
    if (number !== String(this.#sent) || more.length > 0 || place < 0) this.wrong.push(`${answer} to ${this.#sent}, at ${this.#place}, ${this.#confirmedAtSend} in force of ${this.#history.labels.join()}`)
    else this.#place = place
  }
}

const middle = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

describe('publishing under load', () => {
  it(`${CLIENTS} clients that send without pause, ${PUBLISHES} publishes: each message is answered, once, never by a version older than the last one`, async () => {
    const history = new History()
    history.labels.push(1)
    history.confirmed = 1
    await platform.app('loaded', { __websocket__: source(1) })
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(platform.url('loaded'))))
    const senders = clients.map((client) => new Sender(client, history))
    await until('all are answered', () => senders.every((sender) => sender.answered > 0))
    const took: number[] = []
    let version = 1
    const labelOf = new Map([[1, 1]])
    for (let i = 0; i < PUBLISHES; i++) {
      const back = i % 2 === 1 && i < 2 * ROLLBACKS ? Math.max(1, version - 3) : null
      const label = back === null ? version + 1 : labelOf.get(back)!
      history.labels.push(label)
      const path = '/apps/loaded/functions/__websocket__'
      const start = performance.now()
      const { status, json } = back === null ? await platform.admin('PUT', path, source(label)) : await platform.admin('POST', `${path}/rollback`, { version: back })
      took.push(performance.now() - start)
      expect({ status, json }).toMatchObject({ status: 200, json: { version: version + 1 } })
      history.confirmed = history.labels.length
      version++
      labelOf.set(version, label)
    }
    const answered = senders.reduce((sum, sender) => sum + sender.answered, 0)
    for (const sender of senders) sender.stopping = true
    await Promise.all(senders.map((sender) => sender.done))
    expect(senders.flatMap((sender) => sender.wrong)).toEqual([])
    expect(senders.filter((sender) => sender.isClosed)).toEqual([])
    expect(answered).toBeGreaterThan(CLIENTS * PUBLISHES)
    expect(middle(took)).toBeLessThan(P50_MS)
    await Promise.all(clients.map((client) => client.close()))
  })
})
