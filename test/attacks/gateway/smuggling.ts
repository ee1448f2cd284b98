import { expect } from 'vitest'
import type { ClientAttack } from '../attack.ts'
import { statusOf } from '../clients.ts'

/** Whatever the first request is taken for, the second must not be answered as one of its own behind a body of ours. */
const smuggled = (headers: string, body: string): ClientAttack['variants'][string] => async (platform) => {
  const { status, after } = await statusOf(platform, `POST /other/f HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n${body}`)
  expect([0, 400, 411, 413, 501]).toContain(status)
  while (!after.ended) await after.frame().catch(() => null)
  expect(after.bytes).toBe(0)
}
const SECOND = 'GET /other/f HTTP/1.1\r\nHost: localhost\r\n\r\n'

export default {
  name: 'Request smuggling',
  layer: 'gateway',
  holds: 'A request whose end can be read in two ways is refused, and its connection is closed.',
  variants: {
    'length and chunks': smuggled('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SECOND}`),
    'two lengths': smuggled('Content-Length: 0\r\nContent-Length: 50\r\n', SECOND),
    'a length that is no number': smuggled('Content-Length: 1e1\r\n', SECOND),
    'a negative length': smuggled('Content-Length: -1\r\n', SECOND),
    'a chunk size that is none': smuggled('Transfer-Encoding: chunked\r\n', `x\r\n${SECOND}`),
    'an unknown encoding last': smuggled('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${SECOND}`),
    'a space before the colon': smuggled('Content-Length : 0\r\n', SECOND),
    'a folded header': smuggled('X: a\r\n b\r\nContent-Length: 0\r\n', SECOND),
    'a bare LF': smuggled('X: a\nContent-Length: 0\r\n', SECOND),
    'a NUL in a header': smuggled('X: a\0b\r\n', SECOND)
  }
} satisfies ClientAttack
