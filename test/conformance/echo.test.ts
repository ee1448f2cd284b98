import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { binary, fragments, Opcode, ping, pong, text } from './support/frames.ts'
import { openRaw, type RawClient } from './support/raw-client.ts'
import { MAX_MESSAGE_BYTES, SERVERS, type EchoServer } from './support/servers.ts'

/** What has to be accepted, and come back through a tenant's function without a byte changed: Autobahn's sections 1, 2, 5, 6.2 to 6.4 and 9. */
describe.each(SERVERS)('what $name echoes', ({ start }) => {
  let server: EchoServer
  let client: RawClient
  beforeAll(async () => {
    server = await start()
  })
  afterEach(() => client.destroy())
  afterAll(() => server.close())
  const open = async (): Promise<RawClient> => (client = await openRaw(server.port, server.path))

  // The ends of the three encodings of a length (RFC 6455, 5.2).
  const SIZES = [0, 1, 125, 126, 127, 128, 65_535, 65_536, 1024 * 1024, MAX_MESSAGE_BYTES]

  it.each(SIZES)('binary of %i bytes', async (size) => {
    await open()
    const bytes = randomBytes(size)
    client.write(binary(bytes))
    expect(bytes.equals((await client.message()) as Buffer)).toBe(true)
  })

  it.each(SIZES)('text of %i bytes', async (size) => {
    await open()
    const sent = textOfBytes(size)
    client.write(text(sent))
    expect((await client.message()) === sent).toBe(true)
  })

  it.each([2, 3, 16, 1000])('a message in %i pieces', async (count) => {
    await open()
    const bytes = randomBytes(70_000)
    client.write(...fragments(Opcode.BINARY, inPieces(bytes, count)))
    expect(bytes.equals((await client.message()) as Buffer)).toBe(true)
    const sent = textOfBytes(70_000)
    // The cuts fall into the midst of characters: only the message as a whole has to be UTF-8 (RFC 6455, 5.6).
    client.write(...fragments(Opcode.TEXT, inPieces(Buffer.from(sent), count)))
    expect((await client.message()) === sent).toBe(true)
  })

  it('16 MiB in 64 pieces', async () => {
    await open()
    const bytes = randomBytes(MAX_MESSAGE_BYTES)
    client.write(...fragments(Opcode.BINARY, inPieces(bytes, 64)))
    expect(bytes.equals((await client.message()) as Buffer)).toBe(true)
  })

  it.each([
    ['first', ['', 'abc']],
    ['in the midst', ['a', '', '', 'bc']],
    ['last', ['abc', '']],
    ['all of them', ['', '', '']]
  ])('fragments that are empty: %s', async (_where, pieces) => {
    await open()
    client.write(...fragments(Opcode.TEXT, pieces))
    expect(await client.message()).toBe(pieces.join(''))
  })

  it('a message octet by octet, and several messages in one packet', async () => {
    await open()
    for (const byte of text('slowly, ä€😀')) client.write(Buffer.of(byte))
    expect(await client.message()).toBe('slowly, ä€😀')
    client.writeTogether(text('one'), binary(Buffer.of(2)), ...fragments(Opcode.TEXT, ['th', 'ree']), text('four'))
    expect([await client.message(), await client.message(), await client.message(), await client.message()]).toEqual(['one', Buffer.of(2), 'three', 'four'])
  })

  it.each([
    ['7 bits in 16', 'x'.repeat(125), 2],
    ['7 bits in 64', 'x', 8],
    ['16 bits in 64', 'x'.repeat(126), 8]
  ] as const)('a length that is longer than it need be (%s), which ws lets pass', async (_what, sent, lengthBytes) => {
    await open()
    client.write(text(sent, { lengthBytes }))
    expect(await client.message()).toBe(sent)
  })

  it('a mask of zeros, and one that changes nothing of the length', async () => {
    await open()
    client.write(text('as it is', { mask: Buffer.alloc(4) }), text('inverted', { mask: Buffer.alloc(4, 0xff) }))
    expect([await client.message(), await client.message()]).toEqual(['as it is', 'inverted'])
  })

  describe('pings', () => {
    it.each([0, 1, 124, 125])('are answered with their data, %i bytes', async (size) => {
      await open()
      const payload = randomBytes(size)
      client.write(ping(payload))
      expect(await client.frame()).toEqual({ fin: true, rsv: 0, opcode: Opcode.PONG, masked: false, payload })
    })

    it('are answered in order, octet by octet too', async () => {
      await open()
      for (let n = 0; n < 10; n++) client.write(ping(`${n}`))
      for (const byte of ping('slowly')) client.write(Buffer.of(byte))
      for (let n = 0; n < 10; n++) expect((await client.frame())!.payload.toString()).toBe(`${n}`)
      expect((await client.frame())!.payload.toString()).toBe('slowly')
    })

    it('between the pieces of a message are answered before it is over', async () => {
      await open()
      const [first, second, third] = fragments(Opcode.TEXT, ['a', 'b', 'c'])
      client.write(first!, ping('one'), second!, ping('two'))
      for (const payload of ['one', 'two']) {
        const answer = await client.frame()
        expect([answer!.opcode, answer!.payload.toString()]).toEqual([Opcode.PONG, payload])
      }
      client.write(third!)
      expect(await client.message()).toBe('abc')
    })

    it('that nobody asked for (pongs) are no matter', async () => {
      await open()
      client.write(pong('unasked'), pong(), ...fragments(Opcode.TEXT, ['a', 'b']).flatMap((piece) => [piece, pong('x')]), ping('asked'))
      const answers = [await client.frame(), await client.frame()].map((answer) => [answer!.opcode, answer!.payload.toString()])
      expect(answers.toSorted()).toEqual([[Opcode.TEXT, 'ab'], [Opcode.PONG, 'asked']].toSorted())
    })
  })

  // Kuhn's stress test for decoders, as Autobahn's 6.5 and later have it: the ends of each length, and what is no character but may be sent.
  it.each([
    ['Greek', 'κόσμε'],
    ['NUL and DEL', '\u0000\u007f'],
    ['ends of two bytes', '\u0080\u07ff'],
    ['ends of three bytes', '\u0800\uffff'],
    ['ends of four bytes', '\u{10000}\u{10ffff}'],
    ['around the surrogates', '\ud7ff\ue000'],
    ['noncharacters', '\ufffe\uffff\u{1fffe}\u{1ffff}\u{2fffe}\u{fffff}\u{10fffe}'],
    ['the replacement character', '\ufffd'],
    ['a byte order mark, which stays', '\ufeffx']
  ])('UTF-8: %s', async (_what, sent) => {
    await open()
    client.write(text(sent), ...fragments(Opcode.TEXT, [...Buffer.from(sent)].map((byte) => Buffer.of(byte))))
    expect([await client.message(), await client.message()]).toEqual([sent, sent])
  })

  it('any message in any fragments, with any pings between, cut into any packets', async () => {
    await open()
    const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 })
    const message = fc.oneof(
      fc.record({ opcode: fc.constant(Opcode.BINARY), pieces }),
      fc.record({ opcode: fc.constant(Opcode.TEXT), pieces: fc.tuple(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.integer({ min: 1, max: 8 })).map(([sent, count]) => inPieces(Buffer.from(sent), count)) })
    )
    const script = fc.record({
      messages: fc.array(fc.record({ message, pings: fc.array(fc.uint8Array({ maxLength: 125 }), { maxLength: 3 }) }), { minLength: 1, maxLength: 5 }),
      packets: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 10 })
    })
    await fc.assert(
      fc.asyncProperty(script, async ({ messages, packets }) => {
        const parts = messages.flatMap((one) => {
          const frames = fragments(one.message.opcode, one.message.pieces)
          return frames.flatMap((part, index) => (one.pings[index] === undefined ? [part] : [part, ping(one.pings[index])]))
        })
        for (const packet of cutInto(Buffer.concat(parts), packets)) client.write(packet)
        const pings = messages.flatMap((one) => one.pings.slice(0, one.message.pieces.length))
        const answers = []
        for (let n = 0; n < messages.length + pings.length; n++) answers.push((await client.frame())!)
        const wanted = messages.map(({ message: { opcode, pieces: sent } }) => ({ opcode, payload: Buffer.concat(sent) }))
        expect(answers.filter(({ opcode }) => opcode !== Opcode.PONG).map(({ opcode, payload }) => ({ opcode, payload }))).toEqual(wanted)
        expect(answers.filter(({ opcode }) => opcode === Opcode.PONG).map(({ payload }) => payload)).toEqual(pings.map((payload) => Buffer.from(payload)))
      }),
      { numRuns: 60 }
    )
  })

  it('64 messages of 64 KiB without waiting for an answer', async () => {
    await open()
    const sent = Array.from({ length: 64 }, () => randomBytes(65_536))
    client.write(...sent.map((bytes) => binary(bytes)))
    for (const bytes of sent) expect(bytes.equals((await client.message()) as Buffer)).toBe(true)
  })

})

/** Text of exactly so many bytes, with characters of each length, that ends within ASCII. */
function textOfBytes(size: number): string {
  const unit = 'aß€😀'
  const count = Math.floor(size / 10)
  return unit.repeat(count) + 'z'.repeat(size - count * 10)
}

function inPieces(bytes: Buffer, count: number): Buffer[] {
  const size = Math.ceil(bytes.byteLength / count)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
}

/** The bytes in packets of these sizes, over and over. */
function cutInto(bytes: Buffer, sizes: number[]): Buffer[] {
  const packets: Buffer[] = []
  for (let at = 0, n = 0; at < bytes.byteLength; n++) {
    const size = sizes[n % sizes.length]!
    packets.push(bytes.subarray(at, at + size))
    at += size
  }
  return packets
}
