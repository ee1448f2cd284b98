import { connect, type Client } from '../support/client.ts'

export type Json = Record<string, any> // oxlint-disable-line typescript/no-explicit-any -- what a test expects it to be

/** A client whose messages are JSON texts. */
export interface JsonClient {
  readonly raw: Client
  send(message: Json): void
  next(): Promise<Json>
  /** Takes messages until one is of this type. */
  nextOf(type: string): Promise<Json>
  close(): Promise<unknown>
}

export async function connectJson(url: string, options?: Parameters<typeof connect>[1]): Promise<JsonClient> {
  const raw = await connect(url, options)
  const next = async (): Promise<Json> => JSON.parse(String(await raw.next()))
  return {
    raw,
    next,
    send: (message) => raw.send(JSON.stringify(message)),
    nextOf: async (type) => {
      for (;;) {
        const message = await next()
        if (message['type'] === type) return message
      }
    },
    close: () => raw.close()
  }
}
