/**
 * `cloud.getToken` and `cloud.parseToken`: JSON Web Tokens (RFC 7519) in compact form (RFC 7515), signed with HS256 and with nothing else. laf makes its own
 * with the package jsonwebtoken: what is in them, and which payloads are refused, is as there.
 */
import { bytesIn } from './globals/bytes.ts'
import { base64Bytes, codecOf } from './globals/encodings.ts'
import { encodeText } from './globals/text-encoding.ts'
import { decodeUtf8 } from './globals/utf8.ts'
import { hmacSha256 } from './hmac.ts'
import { tokenSecret } from './token-secret.ts'
import {
  NativeTypeError, bareObject, charCodeAt, jsonParse, jsonStringify, mathFloor, now, numberIsFinite, objectGetPrototypeOf, objectHasOwn, objectKeys, stringIndexOf, stringToLowerCase, stringTrim, substring, toText,
  typedArrayByteLength
} from './primordials.ts'

type Claims = Record<string, unknown>

const base64url = codecOf('base64url')!
const PLAIN: unknown = objectGetPrototypeOf({})
/** `{"alg":"HS256","typ":"JWT"}` and `{"alg":"HS256"}`: only claims are called a JWT. */
const CLAIMS_HEADER = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9'
const TEXT_HEADER = 'eyJhbGciOiJIUzI1NiJ9'
/** Of 32 bytes. */
const SIGNATURE_UNITS = 43

/** @throws TypeError if it can be no payload, or no secret */
export function getToken(payload: unknown, secret?: unknown): string {
  const key = keyOf(secret)
  const signed = typeof payload === 'object' ? `${CLAIMS_HEADER}.${encode(claimsText(payload))}` : `${TEXT_HEADER}.${encode(plainText(payload))}`
  return `${signed}.${signatureOf(signed, key)}`
}

/** The payload, or null: whatever is wrong with the token, and whatever it is. */
export function parseToken(token: unknown, secret?: unknown): unknown {
  if (typeof token !== 'string') return null
  try {
    return payloadOf(token, keyOf(secret))
  } catch {
    return null
  }
}

/** `ctx.user`: the payload of `Authorization: Bearer TOKEN` (RFC 6750, 2.1), null without a good one. */
export function userOf(authorization: string | string[] | undefined): unknown {
  if (typeof authorization !== 'string' || stringToLowerCase(substring(authorization, 0, 7)) !== 'bearer ') return null
  return parseToken(stringTrim(substring(authorization, 7, authorization.length)))
}

function payloadOf(token: string, key: Uint8Array): unknown {
  const first = stringIndexOf(token, '.')
  const second = stringIndexOf(token, '.', first + 1)
  if (first < 0 || token.length - second - 1 !== SIGNATURE_UNITS) return null
  // Before anything of it is read: what follows was written by someone who knows the secret.
  if (!isSame(signatureOf(substring(token, 0, second), key), substring(token, second + 1, token.length))) return null
  const header = jsonIn(decode(substring(token, 0, first)))
  // `crit` names extensions that must be understood (RFC 7515, 4.1.11), and we know none.
  if (header === null || claim(header, 'alg') !== 'HS256' || objectHasOwn(header, 'crit')) return null
  const text = decode(substring(token, first + 1, second))
  const claims = jsonIn(text)
  if (claims === null) return text
  return isInTime(claims) ? claims : null
}

/** RFC 7519, 4.1.4 and 4.1.5. */
function isInTime(claims: Claims): boolean {
  const exp = claim(claims, 'exp')
  const nbf = claim(claims, 'nbf')
  const time = seconds()
  return (exp === undefined || (typeof exp === 'number' && time < exp)) && (nbf === undefined || (typeof nbf === 'number' && time >= nbf))
}

/** A copy, as JSON: with the time at which it was made. */
function claimsText(payload: object | null): string {
  if (payload === null || !isPlain(payload)) throw new NativeTypeError('the payload of a token is a plain object or a text')
  const claims = bareObject<unknown>()
  const names = objectKeys(payload)
  for (let i = 0; i < names.length; i++) claims[names[i]!] = (payload as Claims)[names[i]!]
  needSeconds(claims, 'iat')
  needSeconds(claims, 'exp')
  needSeconds(claims, 'nbf')
  claims['iat'] ||= seconds()
  const text: unknown = jsonStringify(claims)
  // A function called toJSON may be among them.
  if (typeof text !== 'string') throw new NativeTypeError('the payload of a token cannot be written as JSON')
  return text
}

function isPlain(payload: object): boolean {
  const prototype: unknown = objectGetPrototypeOf(payload)
  return prototype === null || prototype === PLAIN
}

function needSeconds(claims: Claims, name: string): void {
  const value = claims[name]
  if (value !== undefined && !numberIsFinite(value)) throw new NativeTypeError(`"${name}" in the payload of a token is a number of seconds`)
}

/** jsonwebtoken writes numbers and booleans as they are, too. */
function plainText(payload: unknown): string {
  if (typeof payload !== 'string' && typeof payload !== 'number' && typeof payload !== 'boolean') throw new NativeTypeError('the payload of a token is a plain object or a text')
  return toText(payload)
}

function keyOf(secret: unknown): Uint8Array {
  const value = secret ?? tokenSecret()
  const key = typeof value === 'string' ? encodeText(value) : bytesIn(value)
  // With an empty one anybody can sign.
  if (key === null || typedArrayByteLength(key) === 0) throw new NativeTypeError('the secret of a token is a text, or bytes, and not empty')
  return key
}

function signatureOf(signed: string, key: Uint8Array): string {
  const signature = hmacSha256(key, encodeText(signed))
  return base64url.read(signature, 0, typedArrayByteLength(signature))
}

/** Of texts of one length, in a time that tells nothing of where they differ. */
function isSame(one: string, other: string): boolean {
  let difference = 0
  for (let i = 0; i < one.length; i++) difference |= charCodeAt(one, i) ^ charCodeAt(other, i)
  return difference === 0
}

function encode(text: string): string {
  const bytes = encodeText(text)
  return base64url.read(bytes, 0, typedArrayByteLength(bytes))
}

function decode(text: string): string {
  return decodeUtf8(base64Bytes(text))
}

/** The object that the text is as JSON, else null. */
function jsonIn(text: string): Claims | null {
  try {
    const value: unknown = jsonParse(text)
    return typeof value === 'object' ? (value as Claims | null) : null
  } catch {
    return null
  }
}

/** What it says itself, and not what every object inherits. */
function claim(claims: Claims, name: string): unknown {
  return objectHasOwn(claims, name) ? claims[name] : undefined
}

function seconds(): number {
  return mathFloor(now() / 1000)
}
