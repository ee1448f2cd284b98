import { randomBytes } from 'node:crypto'

/** A key of HS256 has to have 256 bits or more (RFC 7518, 3.2). */
const BYTES = 32

/** For an app that is made, or that is from before there were secrets: what its tokens are signed with, as text. */
export function newSecret(): string {
  return randomBytes(BYTES).toString('base64url')
}
