import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { binary, close, frame, fragments, Opcode, ping, text } from './support/frames.ts'
import { handshake, openRaw, RawClient, type Handshake } from './support/raw-client.ts'
import { SERVERS, type EchoServer } from './support/servers.ts'

/** Autobahn's section 7, the end of a TCP connection in every state, and the closing handshake from either side (RFC 6455, 7). */
describe.each(SERVERS)('how a connection to $name ends', ({ start }) => {
  let server: EchoServer
  let client: RawClient
  beforeAll(async () => {
    server = await start()
  })
  afterEach(() => client.destroy())
  afterAll(() => server.close())
  const open = async (more: Partial<Handshake> & { allowHalfOpen?: boolean } = {}): Promise<RawClient> => (client = await openRaw(server.port, server.path, more))

  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])('a close with %i is answered with the same', async (code) => {
    await open()
    client.write(close(code, 'ä reason'))
    expect(await client.closeFrame()).toEqual({ code, reason: 'ä reason' })
    // The server ends the TCP connection (RFC 6455, 7.1.1).
    await client.end()
    expect(client.reset).toBe(false)
  })

  it('a close without a code is answered without one', async () => {
    await open()
    client.write(close())
    expect(await client.closeFrame()).toEqual({ code: null, reason: '' })
    await client.end()
  })

  it('a reason of 123 bytes fits', async () => {
    await open()
    client.write(close(1000, 'ä'.repeat(61) + 'x'))
    expect((await client.closeFrame())!.reason).toBe('ä'.repeat(61) + 'x')
  })

  it.each([
    ['a text', [text('late')]],
    ['a ping', [ping('late')]],
    ['a second close', [close(1001)]],
    ['a violation', [text('late', { rsv: 7 })]],
    ['a megabyte', [binary(Buffer.alloc(1024 * 1024))]]
  ])('what comes behind a close is ignored: %s', async (_what, late) => {
    await open()
    client.writeTogether(close(1000, 'bye'), ...late)
    const answer = await client.frame()
    expect([answer!.opcode, answer!.payload.toString('utf8', 2)]).toEqual([Opcode.CLOSE, 'bye'])
    expect(await client.frame()).toBeNull()
  })

  it('a close in the midst of a message in fragments is a close', async () => {
    await open()
    client.write(fragments(Opcode.TEXT, ['a', 'b'])[0]!, close(1000))
    expect(await client.frame()).toMatchObject({ opcode: Opcode.CLOSE })
    expect(await client.frame()).toBeNull()
  })

  it.each([
    ['without a code', 'close', { code: null, reason: '' }],
    ['with a code', 'close 4001', { code: 4001, reason: '' }],
    ['with a code and a reason', 'close 1000 as you wish', { code: 1000, reason: 'as you wish' }]
  ])('the function closes %s, and the connection ends when the client has answered', async (_what, message, expected) => {
    await open()
    client.write(text(message))
    expect(await client.closeFrame()).toEqual(expected)
    expect(client.ended).toBe(false)
    client.write(close(expected.code ?? undefined))
    await client.end()
    expect(client.reset).toBe(false)
  })

  it('what the client still sends before it answers a close is taken, and not answered', async () => {
    await open()
    client.write(text('close 4001'))
    expect((await client.closeFrame())?.code).toBe(4001)
    client.write(text('still under way'), ping('x'), close(4001))
    expect(await client.frame()).toBeNull()
  })

  it('a close from both sides at once ends once', async () => {
    await open()
    client.writeTogether(text('close 4001'), close(4002))
    const answer = await client.closeFrame()
    // Whose close it was depends on whose came first.
    expect([4001, 4002]).toContain(answer?.code)
    await client.end()
  })

  it('a client that ends its half of the connection without a close finds the other half ended', async () => {
    await open({ allowHalfOpen: true })
    client.write(text('x'))
    expect(await client.message()).toBe('x')
    client.socket.end()
    await client.end()
    expect(client.reset).toBe(false)
  })

  it.each<[string, Buffer[]]>([
    ['at a frame border', []],
    ['in the midst of a header', [text('x'.repeat(200)).subarray(0, 3)]],
    ['in the midst of a payload', [text('x'.repeat(200)).subarray(0, 100)]],
    ['within fragments', [fragments(Opcode.TEXT, ['a', 'b'])[0]!]],
    ['behind a violation', [text('x', { rsv: 7 })]],
    ['behind a close', [close(1000)]]
  ])('half an end %s', async (_what, frames) => {
    await open({ allowHalfOpen: true })
    client.write(...frames)
    client.socket.end()
    await client.end()
  })

  /** Each leaves the connection in another state when the reset comes. */
  const STATES: [string, (reset: RawClient) => Promise<void> | void][] = [
    ['before a byte is sent', () => {}],
    ['within the request line', (reset) => reset.write('GET /ec')],
    ['within the headers', (reset) => reset.write(handshake({ path: server.path }).slice(0, 60))],
    ['before the answer to the handshake', (reset) => reset.write(handshake({ path: server.path }))],
    ['after the handshake', (reset) => shake(reset)],
    ['with the handshake and a message', (reset) => reset.writeTogether(handshake({ path: server.path }), text('x'))],
    ['within a frame', async (reset) => {
      await shake(reset)
      reset.write(text('x'.repeat(1000)).subarray(0, 500))
    }],
    ['within fragments', async (reset) => {
      await shake(reset)
      reset.write(fragments(Opcode.TEXT, ['a', 'b'])[0]!)
    }],
    ['before the echo', async (reset) => {
      await shake(reset)
      reset.write(text('x'))
    }],
    ['within a large echo', async (reset) => {
      await shake(reset)
      reset.socket.pause()
      reset.write(binary(Buffer.alloc(8 * 1024 * 1024)))
      await new Promise((done) => reset.socket.once('drain', done))
    }],
    ['behind a violation', async (reset) => {
      await shake(reset)
      reset.write(frame(15))
    }],
    ['behind a close', async (reset) => {
      await shake(reset)
      reset.write(close(1000))
    }],
    ["after the server's close", async (reset) => {
      await shake(reset)
      reset.write(text('close 4001'))
      await reset.closeFrame()
    }],
    ['in a flood of pings', async (reset) => {
      await shake(reset)
      reset.socket.pause()
      for (let n = 0; n < 2000; n++) reset.write(ping('x'.repeat(125)))
    }]
  ]

  async function shake(reset: RawClient): Promise<void> {
    reset.write(handshake({ path: server.path }))
    await reset.response()
  }

  it.each(STATES)('a reset %s hurts nobody', async (_what, into) => {
    await open()
    const resets = Array.from({ length: 10 }, () => new RawClient(server.port))
    await Promise.all(
      resets.map(async (reset) => {
        await new Promise((done) => reset.socket.once('connect', done))
        await into(reset)
        reset.socket.resetAndDestroy()
      })
    )
    client.write(text('still here'))
    expect(await client.message()).toBe('still here')
  })
})
