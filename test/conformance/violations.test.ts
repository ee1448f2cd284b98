import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { binary, close, frame, fragments, Opcode, ping, text } from './support/frames.ts'
import { openRaw, type RawClient } from './support/raw-client.ts'
import { MAX_MESSAGE_BYTES, SERVERS, type EchoServer } from './support/servers.ts'

const [firstPiece, lastPiece] = fragments(Opcode.TEXT, ['a', 'b']) as [Buffer, Buffer]

/** Autobahn's sections 3, 4 and what of 2 and 5 must fail: frames that end the connection with 1002 (RFC 6455, 5 and 7.4.1). */
const PROTOCOL_ERRORS: [string, Buffer[]][] = [
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((rsv): [string, Buffer[]][] => [
    [`reserved bits ${rsv} on a text`, [text('x', { rsv })]],
    [`reserved bits ${rsv} on a ping`, [ping('x', { rsv })]],
    [`reserved bits ${rsv} on a close`, [frame(Opcode.CLOSE, { rsv })]]
  ]),
  ['a reserved bit on a continuation', [firstPiece, frame(Opcode.CONTINUATION, { payload: 'b', rsv: 4 })]],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode): [string, Buffer[]][] => [
    [`reserved opcode ${opcode}`, [frame(opcode)]],
    [`reserved opcode ${opcode} with a payload, behind a message`, [text('x'), frame(opcode, { payload: 'y' })]]
  ]),
  ['a frame that is not masked', [text('x', { mask: null })]],
  ['an empty frame that is not masked', [binary(Buffer.alloc(0), { mask: null })]],
  ['a ping that is not masked', [ping('', { mask: null })]],
  ['a close that is not masked', [frame(Opcode.CLOSE, { mask: null })]],
  ['a continuation of nothing', [frame(Opcode.CONTINUATION, { payload: 'x' })]],
  ['a continuation of nothing that is not the last', [frame(Opcode.CONTINUATION, { payload: 'x', fin: false })]],
  ['a continuation of a message that is over', [text('x'), frame(Opcode.CONTINUATION, { payload: 'y' })]],
  ['a continuation of fragments that are over', [firstPiece, lastPiece, lastPiece]],
  ['a text within fragments', [firstPiece, text('x')]],
  ['a binary within fragments', [firstPiece, binary(Buffer.of(1))]],
  ['fragments within fragments', [firstPiece, firstPiece]],
  ['a text within fragments that are empty so far', [text('', { fin: false }), text('')]],
  ...([['ping', Opcode.PING], ['pong', Opcode.PONG], ['close', Opcode.CLOSE]] as const).flatMap(([name, opcode]): [string, Buffer[]][] => [
    [`a ${name} in fragments`, [frame(opcode, { fin: false })]],
    [`a ${name} of 126 bytes`, [frame(opcode, { payload: Buffer.alloc(126) })]],
    [`a ${name} of 65,536 bytes`, [frame(opcode, { payload: Buffer.alloc(65_536) })]],
    [`a ${name} whose short length is encoded as a long one`, [frame(opcode, { payload: '12', lengthBytes: 2 })]]
  ]),
  ['a close with a payload of one byte', [frame(Opcode.CLOSE, { payload: 'x' })]],
  ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code): [string, Buffer[]] => [`a close with the code ${code}`, [close(code)]]),
  ['a close with an invalid code and a reason', [close(1005, 'never')]],
  ['what is no WebSocket at all', [Buffer.from('GET / HTTP/1.1\r\n\r\n')]]
]

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex')

/** Kuhn's stress test, as Autobahn's 6.3 to 6.22 have it. */
const NOT_UTF8: [string, Buffer][] = [
  ['a lone continuation', hex('80')],
  ['six lone continuations', hex('80bf80bf80bf')],
  ['a truncated sequence of two', hex('c3')],
  ['a truncated sequence of three', hex('e282')],
  ['a truncated sequence of four', hex('f09f98')],
  ['a truncated sequence before ASCII', hex('e28241')],
  ['truncated sequences in a row', hex('c3e282f09f98')],
  ['FE', hex('fe')],
  ['FF', hex('ff')],
  ['an overlong slash of two', hex('c0af')],
  ['an overlong slash of three', hex('e080af')],
  ['an overlong slash of four', hex('f08080af')],
  ['an overlong NUL', hex('c080')],
  ['the longest overlong of two', hex('c1bf')],
  ['the longest overlong of three', hex('e09fbf')],
  ['the longest overlong of four', hex('f08fbfbf')],
  ['a sequence of five', hex('f888808080')],
  ['a sequence of six', hex('fc8480808080')],
  ['above U+10FFFF', hex('f4908080')],
  ['a high surrogate', hex('eda080')],
  ['a low surrogate', hex('edbfbf')],
  ['a pair of surrogates (CESU-8)', hex('eda0bdedb880')],
  ['Latin-1', Buffer.from('naïve', 'latin1')],
  ['what goes wrong at the end of much that is right', Buffer.concat([Buffer.alloc(100_000, 'ä'), hex('ff')])]
]

describe.each(SERVERS)('what $name does not take', ({ start }) => {
  let server: EchoServer
  let client: RawClient
  beforeAll(async () => {
    server = await start()
  })
  afterEach(() => client.destroy())
  afterAll(() => server.close())
  const open = async (): Promise<RawClient> => (client = await openRaw(server.port, server.path))

  async function expectClose(code: number): Promise<void> {
    expect((await client.closeFrame())?.code).toBe(code)
    await client.end()
  }

  it.each(PROTOCOL_ERRORS)('%s: 1002', async (_what, frames) => {
    await open()
    client.write(...frames)
    await expectClose(1002)
  })

  it.each(NOT_UTF8)('a text that is %s: 1007', async (_what, payload) => {
    await open()
    client.write(text(payload))
    await expectClose(1007)
  })

  it.each(NOT_UTF8.slice(0, -1))('a text in fragments of a byte that is %s: 1007', async (_what, payload) => {
    await open()
    client.write(...fragments(Opcode.TEXT, ['ä', ...[...payload].map((byte) => Buffer.of(byte)), 'ä']))
    await expectClose(1007)
  })

  it.each(NOT_UTF8.slice(0, -1))('a reason that is %s: 1007', async (_what, payload) => {
    await open()
    client.write(close(1000, payload))
    await expectClose(1007)
  })

  it.each(NOT_UTF8.slice(0, -1))('but the same as binary is fine: %s', async (_what, payload) => {
    await open()
    client.write(binary(payload))
    expect(await client.message()).toEqual(payload)
  })

  it.each([
    ['above the limit by one', [binary(Buffer.alloc(0), { announced: BigInt(MAX_MESSAGE_BYTES + 1) })]],
    ['of 2^53', [binary(Buffer.alloc(0), { announced: 2n ** 53n })]],
    ['with the high bit set', [binary(Buffer.alloc(0), { announced: 2n ** 63n })]],
    ['of all bits', [binary(Buffer.alloc(0), { announced: 2n ** 64n - 1n })]],
    ['whose fragments are above it together', [binary(Buffer.alloc(MAX_MESSAGE_BYTES - 1), { fin: false }), frame(Opcode.CONTINUATION, { announced: 2n })]]
  ])('a message %s: 1009, before its payload has come', async (_what, frames) => {
    await open()
    client.write(...frames)
    await expectClose(1009)
  })

  it('what comes behind a violation is not answered', async () => {
    await open()
    client.writeTogether(text('x', { rsv: 4 }), text('y'), ping('z'))
    expect((await client.frame())!.opcode).toBe(Opcode.CLOSE)
    expect(await client.frame()).toBeNull()
  })

  it('any bytes whatever end in a close or in silence, and the next client is served', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const noisy = await openRaw(server.port, server.path)
        noisy.write(bytes)
        noisy.socket.end()
        await noisy.end()
        noisy.destroy()
      }),
      { numRuns: 100 }
    )
    await open()
    client.write(text('still here'))
    expect(await client.message()).toBe('still here')
  })
})
