import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startPlatform, type Platform } from './support/platform.ts'
import { until } from './support/until.ts'

let platform: Platform
beforeEach(async () => {
  platform = await startPlatform()
})
afterEach(() => platform.stop())

/** What a client that has sent this is told until its socket is closed. */
async function told(bytes: string): Promise<string> {
  const socket = connect(platform.port, '127.0.0.1').on('error', () => {})
  let text = ''
  socket.on('data', (part) => {
    text += part.toString()
  })
  socket.write(bytes)
  await until(() => socket.closed, 'the end', 20_000)
  return text
}

/** Node looks every five seconds for those that have had their ten. */
test('whoever sends half a header, or half of an upgrade, is answered 408 and closed', { timeout: 25_000 }, async () => {
  const halves = ['GET /demo/f HTTP/1.1\r\nHost: x\r\nX-Half: ', 'GET /demo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n']
  for (const text of await Promise.all(halves.map(told))) {
    expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
    expect(text).toContain('connection: close')
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toEqual({ error: { code: 'timeout', message: 'the request did not arrive in time' } })
  }
})
