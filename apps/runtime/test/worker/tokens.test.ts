import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { setTokenSecret } from '../../src/guest/token-secret.ts'
import { getToken, parseToken, userOf } from '../../src/guest/tokens.ts'

const OWN = 'of the app'
setTokenSecret(OWN)

const part = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
/** As anybody makes one who knows the secret. */
function signed(header: unknown, payload: unknown, secret: string | Buffer = OWN, algorithm = 'sha256'): string {
  const text = `${part(header)}.${part(payload)}`
  return `${text}.${createHmac(algorithm, secret).update(text).digest('base64url')}`
}
const HS256 = { alg: 'HS256', typ: 'JWT' }
const now = (): number => Math.floor(Date.now() / 1000)
const read = (token: string, index: number): string => Buffer.from(token.split('.')[index]!, 'base64url').toString()

describe('getToken', () => {
  it('signs a plain object as JSON, with the time in seconds', () => {
    const before = now()
    const token = getToken({ uid: 7, name: 'Ännchen 😀', deep: { list: [1, null, 'x'] } })
    expect(read(token, 0)).toBe('{"alg":"HS256","typ":"JWT"}')
    const { iat, ...payload } = JSON.parse(read(token, 1))
    expect(payload).toEqual({ uid: 7, name: 'Ännchen 😀', deep: { list: [1, null, 'x'] } })
    expect(iat).toBeGreaterThanOrEqual(before)
    expect(iat).toBeLessThanOrEqual(now())
    expect(token).toBe(signed(HS256, { ...payload, iat }))
  })

  it('keeps the iat that the payload has, and its exp and nbf', () => {
    expect(JSON.parse(read(getToken({ iat: 5, exp: 9, nbf: 1.5 }), 1))).toEqual({ iat: 5, exp: 9, nbf: 1.5 })
    expect(JSON.parse(read(getToken({ iat: undefined, exp: undefined }), 1))).toEqual({ iat: expect.any(Number) })
  })

  it('signs a text as it is', () => {
    expect(getToken('a text: é')).toBe(signed({ alg: 'HS256' }, 'a text: é'))
    expect(getToken('')).toBe(signed({ alg: 'HS256' }, ''))
    expect(getToken(5)).toBe(signed({ alg: 'HS256' }, '5'))
    expect(getToken(true)).toBe(signed({ alg: 'HS256' }, 'true'))
  })

  it('signs with the secret that it is given: a text or bytes', () => {
    expect(getToken({ iat: 5 }, 'another ü')).toBe(signed(HS256, { iat: 5 }, 'another ü'))
    expect(getToken({ iat: 5 }, new Uint8Array([1, 2, 255]))).toBe(signed(HS256, { iat: 5 }, Buffer.from([1, 2, 255])))
    expect(getToken({ iat: 5 }, null)).toBe(signed(HS256, { iat: 5 }))
  })

  it('does not change the payload', () => {
    const payload = Object.freeze({ uid: 1 })
    getToken(payload)
    expect(payload).toEqual({ uid: 1 })
  })

  it.each([
    ['undefined', undefined, /plain object or a text/],
    ['null', null, /plain object or a text/],
    ['a list', [1], /plain object or a text/],
    ['an instance', new Date(), /plain object or a text/],
    ['a function', () => {}, /plain object or a text/],
    ['a symbol', Symbol('s'), /plain object or a text/],
    ['exp in a text', { exp: '1h' }, /"exp" .* number of seconds/],
    ['exp that is no number', { exp: Number.NaN }, /"exp" .* number of seconds/],
    ['nbf null', { nbf: null }, /"nbf" .* number of seconds/],
    ['iat in a date', { iat: new Date() }, /"iat" .* number of seconds/],
    ['a bigint', { n: 1n }, /BigInt/],
    ['toJSON that gives nothing', { toJSON: () => undefined }, /cannot be written as JSON/]
  ])('refuses %s', (_name, payload, message) => {
    expect(() => getToken(payload)).toThrow(TypeError)
    expect(() => getToken(payload)).toThrow(message)
  })

  // With an empty key everybody can sign.
  it.each([[''], [new Uint8Array(0)], [0], [{}], [false]])('refuses the secret %j', (secret) => {
    expect(() => getToken({}, secret)).toThrow(/secret of a token/)
    expect(parseToken(signed(HS256, { a: 1 }, ''), secret)).toBeNull()
  })

  it('takes what hostile payloads say of themselves, and no more', () => {
    const named = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":2,"iat":5}')
    expect(JSON.parse(read(getToken(named), 1))).toEqual(named)
    const back = parseToken(getToken(named)) as Record<string, unknown>
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(back['admin']).toBeUndefined()
    expect(() => getToken({ get a() { throw new Error('in a getter') } })).toThrow('in a getter')
    expect(() => getToken(new Proxy({}, { ownKeys: () => { throw new Error('in a trap') } }))).toThrow('in a trap')
    // Each look may give something else: it is looked at once.
    let looks = 0
    const exp = { get exp() { return looks++ === 0 ? now() + 9 : 'never' } }
    expect(parseToken(getToken(exp))).toMatchObject({ exp: expect.any(Number) })
  })
})

describe('parseToken', () => {
  it('gives the payload of what getToken has made, and of what others sign with the secret', () => {
    expect(parseToken(getToken({ uid: 7, deep: [{ a: 'é' }] }))).toEqual({ uid: 7, deep: [{ a: 'é' }], iat: expect.any(Number) })
    for (const text of ['', 'a text', '5', '"quoted"']) expect(parseToken(getToken(text))).toBe(text)
    expect(parseToken(getToken({ uid: 7 }, 'k'), 'k')).toMatchObject({ uid: 7 })
    // As jsonwebtoken: a text that is an object as JSON comes back as one.
    expect(parseToken(getToken('{"a":1}'))).toEqual({ a: 1 })
    expect(parseToken(signed({ typ: 'JWT', kid: 'x', alg: 'HS256' }, ' { "a" : 1 } '))).toEqual({ a: 1 })
    // The one that jwt.io has shown for years.
    const known = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c'
    expect(parseToken(known, 'your-256-bit-secret')).toEqual({ sub: '1234567890', name: 'John Doe', iat: 1516239022 })
  })

  it('gives null for another secret', () => {
    const token = getToken({ a: 1 })
    expect(parseToken(token, 'another')).toBeNull()
    expect(parseToken(getToken({ a: 1 }, 'another'))).toBeNull()
  })

  it('gives null from the second of exp on, and until the second of nbf', () => {
    const isGood = (claims: object): boolean => parseToken(signed(HS256, claims)) !== null
    expect([isGood({ exp: now() - 1 }), isGood({ exp: now() }), isGood({ exp: now() + 5 }), isGood({ exp: 0 })]).toEqual([false, false, true, false])
    expect([isGood({ nbf: now() + 5 }), isGood({ nbf: now() }), isGood({ nbf: 0 })]).toEqual([false, true, true])
    for (const bad of ['9999999999', null, true, {}, [9999999999]]) expect([isGood({ exp: bad }), isGood({ nbf: bad })]).toEqual([false, false])
  })

  const good = signed(HS256, { admin: false })
  const [head, payload, signature] = good.split('.') as [string, string, string]
  it.each([
    ['alg none, without a signature', `${part({ alg: 'none' })}.${payload}.`],
    ['alg none, with the signature of the other', `${part({ alg: 'none' })}.${payload}.${signature}`],
    ['alg none, signed', signed({ alg: 'none', typ: 'JWT' }, { a: 1 })],
    ['alg HS512, signed with it', signed({ alg: 'HS512' }, { a: 1 }, OWN, 'sha512')],
    ['alg HS512, signed with HS256', signed({ alg: 'HS512' }, { a: 1 })],
    ['alg RS256', signed({ alg: 'RS256' }, { a: 1 })],
    ['alg in lower case', signed({ alg: 'hs256' }, { a: 1 })],
    ['alg in a list', signed({ alg: ['HS256'] }, { a: 1 })],
    ['no alg', signed({}, { a: 1 })],
    ['crit', signed({ ...HS256, crit: ['b64'], b64: false }, { a: 1 })],
    ['a header that is no object', signed('"HS256"', { a: 1 })],
    ['a header that is null', signed('null', { a: 1 })],
    ['a header that is no JSON', signed('{alg:HS256}', { a: 1 })],
    ['another payload', `${head}.${part({ admin: true })}.${signature}`],
    ['no signature', `${head}.${payload}.`],
    ['no third part', `${head}.${payload}`],
    ['a fourth part', `${good}.`],
    ['a signature with padding', `${good}=`],
    ['half a signature', good.slice(0, -20)],
    // 43 units have two bits more than 32 bytes: another text of the same bytes.
    ['a signature in another text', good.slice(0, -1) + 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(good.at(-1)!) + 1]],
    ['space around it', ` ${good}`],
    ['only dots', '..'],
    ['dots and a signature', `..${signature}`],
    ['nothing', ''],
    ['text', 'not a token']
  ])('gives null for %s', (_name, token) => {
    expect(parseToken(token)).toBeNull()
  })

  it.each([[undefined], [null], [5], [{}], [['a.b.c']], [Buffer.from(good)], [{ toString: () => good }]])('gives null for %j', (token) => {
    expect(parseToken(token)).toBeNull()
  })

  it('gives null for each token that differs in one character', () => {
    for (let i = 0; i < good.length; i++) {
      const other = good[i] === 'A' ? 'B' : 'A'
      expect(parseToken(good.slice(0, i) + other + good.slice(i + 1)), `at ${i}`).toBeNull()
    }
    expect(parseToken(good)).toEqual({ admin: false })
  })

  it('reads what a token says itself, and not what every object inherits', () => {
    const everyObject = Object.prototype as Record<string, unknown>
    Object.assign(everyObject, { alg: 'HS256', exp: 1 })
    try {
      expect(parseToken(signed({ typ: 'JWT' }, { a: 1 }))).toBeNull()
      expect(parseToken(signed(HS256, { a: 1 }))).toEqual({ a: 1 })
    } finally {
      delete everyObject['alg']
      delete everyObject['exp']
    }
  })

  it('is quick to refuse megabytes, and reads as many if they are signed', () => {
    const started = performance.now()
    for (const token of ['.'.repeat(5_000_000), 'a'.repeat(5_000_000), `${'a'.repeat(5_000_000)}.b.${signature}`, `${head}.${payload}.${'a'.repeat(5_000_000)}`]) expect(parseToken(token)).toBeNull()
    const large = { text: 'x'.repeat(1_000_000), iat: 5 }
    expect(parseToken(getToken(large))).toEqual(large)
    expect(performance.now() - started).toBeLessThan(3_000)
    // Deeper than the stack: null, and no RangeError.
    expect(() => parseToken(signed(HS256, '['.repeat(1_000_000)))).not.toThrow()
  })
})

describe('userOf', () => {
  const token = getToken({ uid: 7 })
  it.each([[`Bearer ${token}`], [`bearer ${token}`], [`BEARER  ${token} `]])('reads %s', (header) => {
    expect(userOf(header)).toMatchObject({ uid: 7 })
  })
  it.each([[undefined], [''], ['Bearer'], ['Bearer '], [token], [`Basic ${token}`], [`Bearer${token}`], [`Bearer ${token} ${token}`], [`Bearer ${token}x`], [[`Bearer ${token}`]]])('gives null for %j', (header) => {
    expect(userOf(header as string)).toBeNull()
  })
})
