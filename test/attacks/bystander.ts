import { expect } from 'vitest'
import { connect, type Client } from '../support/client.ts'
import type { Platform } from '../support/platform.ts'
import type { Victim } from './attack.ts'

/** Words that nobody else may ever see: in its environment, its source, its data, and in the environment of the platform. */
export const SECRETS = ['secret-of-the-environment', 'secret-of-the-source', 'secret-of-the-store', 'secret-of-the-platform'] as const
export const PLATFORM_TOKEN = `${SECRETS[3]}-0123456789`

const SOURCE = `
  import cloud from '@lafjs/cloud'
  const secret = 'secret-of-the-source'
  export function main(ctx) {
    if (ctx.method === 'WebSocket:connection') { ctx.socket.join('room'); ctx.socket.data = { secret }; cloud.shared.set('key', 'secret-of-the-store'); ctx.socket.send(ctx.socket.id) }
    if (ctx.method !== 'WebSocket:message') return
    const seen = cloud.shared.get('seen') ?? new Set()
    seen.add(ctx.params.data.toString())
    cloud.shared.set('seen', seen)
    ctx.socket.send('seen ' + seen.size + ' ' + cloud.shared.get('key') + ' ' + ctx.socket.data.secret + ' ' + process.env.SECRET)
  }`

/** The app beside the attackers: it answers, keeps what it has, and its client stays connected. */
export class Bystander {
  readonly #client: Client
  readonly victim: Victim
  #asked = 0

  constructor(client: Client, victim: Victim) {
    this.#client = client
    this.victim = victim
  }

  /** Asks once more, and expects that it knows all questions before. */
  async expectWell(): Promise<void> {
    this.#asked++
    this.#client.send(`question ${this.#asked}`)
    const answer = await this.#client.next()
    expect(answer).toBe(`seen ${this.#asked} secret-of-the-store secret-of-the-source secret-of-the-environment`)
    expect(this.#client.ws.readyState).toBe(this.#client.ws.OPEN)
  }

  close(): Promise<unknown> {
    return this.#client.close()
  }
}

export async function startBystander(platform: Platform): Promise<Bystander> {
  const appid = 'bystander'
  await platform.app(appid, { __websocket__: SOURCE })
  await platform.admin('PUT', `/apps/${appid}/env`, { SECRET: 'secret-of-the-environment' })
  const client = await connect(platform.url(appid))
  return new Bystander(client, { appid, connection: String(await client.next()), room: 'room', sharedKey: 'key' })
}

/** What must be in nothing that a tenant gets to see: secrets of others, and anything of the host. */
export function expectNothingOfOthers(text: string): void {
  for (const secret of SECRETS) expect(text).not.toContain(secret)
  expect(text).not.toMatch(/node:internal|isolated.vm|file:\/\/|node_modules|\/apps\/runtime\//)
}

/** All that an app has logged. */
export async function logOf(platform: Platform, appid: string): Promise<{ message: string; level: string }[]> {
  return (await platform.admin('GET', `/apps/${appid}/logs?limit=1000`)).json.items
}
