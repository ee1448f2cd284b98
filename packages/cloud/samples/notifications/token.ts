// Tokens that the sign-in page of the app has made: `user.signature`, signed with TOKEN_SECRET of the app's environment.
import { createHmac, timingSafeEqual } from 'crypto'

/** null if the token is not one of ours. */
export function userOf(token: string | undefined): string | null {
  const [user, signature] = String(token ?? '').split('.')
  if (!user || !signature) return null
  const expected = createHmac('sha256', process.env.TOKEN_SECRET!).update(user).digest()
  const given = Buffer.from(signature, 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected) ? user : null
}
