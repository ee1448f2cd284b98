import { expect } from 'vitest'
import type { Answer, Platform } from '../support/platform.ts'
import { KEY, RawClient } from '../conformance/support/raw-client.ts'

export const SECRET_APP = 'bystander'

/** An upgrade request as bytes; `more` are further header lines, each with its CRLF. */
export function upgradeRequest(path: string, host = 'localhost', more = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${more}\r\n`
}

/** Bytes to the port of clients, and what comes back: the status of the answer, 0 if the connection was ended without one. */
export async function statusOf(platform: Platform, bytes: string | Uint8Array): Promise<{ status: number; body: string; after: RawClient }> {
  const raw = new RawClient(platform.gatewayPort)
  raw.write(bytes)
  const answer = await raw.response().catch(() => ({ status: 0, body: '' }))
  return { status: answer.status, body: answer.body, after: raw }
}

/** Frames after a good handshake: expects that the connection ends. */
export async function expectEnded(platform: Platform, ...frames: Uint8Array[]): Promise<void> {
  const { status, after } = await statusOf(platform, upgradeRequest(`/${SECRET_APP}/__websocket__`))
  expect(status).toBe(101)
  after.write(...frames)
  while (await after.frame()) {
    // What the app says, and the close.
  }
  expect(after.ended).toBe(true)
}

/** A client's frame, masked with zeros. */
export function frame(first: number, payload: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(payload as string)
  const length = bytes.byteLength < 126 ? Buffer.from([0x80 | bytes.byteLength]) : Buffer.from([0x80 | 126, bytes.byteLength >> 8, bytes.byteLength & 0xff])
  return Buffer.concat([Buffer.from([first]), length, Buffer.alloc(4), bytes])
}

/** Refused by the console with an error of its closed list, and nothing of the platform in it. */
export function expectRefused(answer: Answer, ...statuses: number[]): void {
  expect(statuses, answer.text.slice(0, 300)).toContain(answer.status)
  expect(answer.json?.error?.code).toMatch(/^[a-z_]+$/)
  expect(answer.text).not.toMatch(/node:internal|node_modules|\/apps\/console\/|SQLITE/)
}
