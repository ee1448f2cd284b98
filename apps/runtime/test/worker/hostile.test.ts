import { ALL_GATEWAYS, Flag, FrameType, HEADER_BYTES, MAX_FRAME_BYTES, encodeFrame, readU32, type Link } from '@socklet/protocol'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AS_IT_CAME, TURN_HEADER_BYTES, TurnWord } from '../../src/turn-layout.ts'
import { ResultError, checkResult, sendResult } from '../../src/worker/result.ts'
import { acknowledged, closed, makeHarness, numbers, type Harness } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

/** Replaces what tenant code can replace, by functions that keep every receiver and argument that they see. */
const SPY = `
  const seen = [null]
  const { apply } = Reflect
  const see = (value) => { seen[seen.length] = value }
  const wrap = (owner, name) => {
    const d = Object.getOwnPropertyDescriptor(owner, name)
    if (!d || !d.configurable) return
    for (const kind of ['value', 'get', 'set']) {
      const original = d[kind]
      if (typeof original !== 'function') continue
      d[kind] = function (...args) { if (!inside) { see(this); for (let i = 0; i < args.length; i++) see(args[i]) } return apply(original, this, args) }
    }
    try { Object.defineProperty(owner, name, d) } catch {}
  }
  let inside = false
  const TypedArray = Object.getPrototypeOf(Uint8Array)
  for (const owner of [Array, Map, Set, WeakMap, Promise, String, Number, RegExp, ArrayBuffer, TypedArray, DataView, Error, Function, Object, Date].map((c) => c.prototype).concat([JSON, Reflect, Math]))
    for (const name of Reflect.ownKeys(owner)) if (name !== 'constructor' && name !== 'apply' && name !== 'call' && name !== '__proto__') wrap(owner, name)
  Object.defineProperty(Array.prototype, '0', { set(v) { if (!inside) see(this) }, get() { return undefined }, configurable: true })
`

describe('tenant code that replaces the built-ins', () => {
  it('sees nothing of the guest: no frames, no internal arrays, no buffers of a turn', async () => {
    const test = await harness.start(`
      ${SPY}
      exports.main = async (ctx) => {
        inside = true
        const text = ctx.params?.data ? String.fromCharCode(...ctx.params.data) : ''
        if (text === 'report') {
          const suspicious = seen.filter((one) => one instanceof ArrayBuffer || (ArrayBuffer.isView(one) && one !== ctx.params.data) || (Array.isArray(one) && one.some((x) => x instanceof ArrayBuffer)) || (typeof one === 'object' && one !== null && ('sequence' in one || 'gateway' in one)))
          ctx.socket.send('suspicious: ' + suspicious.length)
        } else ctx.socket.send('ok ' + ctx.requestId)
        inside = false
        await null
      }`)
    test.open(1)
    for (let i = 0; i < 5; i++) test.event(FrameType.MESSAGE, 1, 'x')
    const last = test.event(FrameType.MESSAGE, 1, 'report')
    await test.until((frames) => acknowledged(frames).includes(last))
    expect(test.texts().at(-1), JSON.stringify(test.logs())).toBe('suspicious: 0')
    expect(test.texts().slice(0, -1)).toHaveLength(6)
  })

  it('sees nothing of it either where sockets are sent to, join rooms, keep data and are listened to', async () => {
    const test = await harness.start(`
      const { default: cloud } = require('@lafjs/cloud')
      ${SPY}
      exports.upgrade = () => { inside = false; return { protocol: 'v1' } }
      exports.main = async (ctx) => {
        const { socket } = ctx
        const text = ctx.params?.data ? String.fromCharCode(...ctx.params.data) : ctx.method
        if (text === 'report') {
          inside = true
          const mine = new Set([ctx.params.data, ...cloud.sockets])
          const suspicious = seen.filter((one) => one instanceof ArrayBuffer || (ArrayBuffer.isView(one) && one.length > 200) || (Array.isArray(one) && one.some((x) => x instanceof ArrayBuffer || typeof x === 'number'))
            || (one instanceof Map && one !== cloud.shared) || (one instanceof Set && one !== cloud.sockets)
            || (typeof one === 'object' && one !== null && !mine.has(one) && ['sequence', 'gateway', 'readyState', 'dataBytes', 'frames', 'settled'].some((name) => Object.hasOwn(one, name))))
          socket.send('suspicious: ' + suspicious.length + ' ' + suspicious.map((one) => Object.prototype.toString.call(one) + Object.keys(one)).join(';').slice(0, 500))
          return
        }
        inside = false
        socket.join('room')
        socket.on('ping', () => {})
        cloud.sockets.forEach((one) => one.send('one for all'))
        cloud.sockets.forEach((one) => one.send('x'.repeat(3000)))
        cloud.sockets.in('room').send('to the room', { except: socket })
        cloud.sockets.in('room').forEach(() => {})
        cloud.sockets.send('to all')
        socket.send('told', () => {})
        socket.send('part', { fin: false })
        socket.send('end')
        socket.ping('ping')
        socket.pause()
        socket.resume()
        socket.leave('room')
        socket.rooms
        if (text === 'close') socket.close(1000, 'reason')
        inside = true
        await null
        inside = false
      }`)
    for (const connection of [1, 2, 3]) test.open(connection)
    test.event(FrameType.MESSAGE, 1, 'x')
    test.event(FrameType.UPGRADE, 9, JSON.stringify({ requestId: 'r', url: '/', headers: {}, address: '', protocols: ['v1'] }))
    test.event(FrameType.PING, 1, 'ping')
    const told = await test.until((frames) => {
      const found = frames.filter(({ head }) => (head.flags & Flag.TELL) !== 0)
      return found.length === 4 && found
    })
    for (const { head } of told.slice(0, 3)) test.event(FrameType.SENT, head.connection, numbers(head.sequence))
    test.event(FrameType.BUFFERED, 1, numbers(7))
    test.event(FrameType.MESSAGE, 2, 'close')
    test.event(FrameType.CLOSED, 2, closed(1000))
    const last = test.event(FrameType.MESSAGE, 1, 'report')
    await test.until((frames) => acknowledged(frames).includes(last))
    expect(test.gateway.frames.filter(({ head }) => head.type === FrameType.SEND_MANY).length).toBeGreaterThan(3)
    expect(test.gateway.frames.filter(({ head }) => head.type === FrameType.SEND_ROOM)).toHaveLength(12)
    expect(test.gateway.frames.filter(({ head }) => head.type === FrameType.UPGRADE_RESULT)).toHaveLength(1)
    expect(test.texts().at(-1), JSON.stringify(test.logs())).toBe('suspicious: 0 ')
  })

  it('finds no isolated-vm, no Reference and no way to the function that starts the guest', async () => {
    const test = await harness.start(`
      exports.main = function main(ctx) {
        const found = []
        const visited = new Set()
        const look = (value, path, depth) => {
          if ((typeof value !== 'object' && typeof value !== 'function') || value === null || visited.has(value) || depth > 6) return
          visited.add(value)
          const name = (() => { try { return value.constructor?.name } catch { return '' } })()
          if (['Reference', 'ExternalCopy', 'Isolate', 'Context', 'Callback'].includes(name)) found.push(path)
          for (const key of Reflect.ownKeys(value)) {
            const d = Object.getOwnPropertyDescriptor(value, key)
            if (d && 'value' in d) look(d.value, path + '.' + String(key), depth + 1)
            if (d?.get) look(d.get, path + '.get ' + String(key), depth + 1)
          }
          look(Object.getPrototypeOf(value), path + '.__proto__', depth + 1)
        }
        look(globalThis, 'globalThis', 0)
        look(ctx, 'ctx', 0)
        look(require('@lafjs/cloud'), 'cloud', 0)
        ctx.socket.send(JSON.stringify({ found, boot: typeof globalThis.__socklet_boot, caller: main.caller === null }))
      }`)
    test.open(1)
    await test.until(() => test.texts().length > 0)
    expect(JSON.parse(test.texts()[0]!)).toEqual({ found: [], boot: 'undefined', caller: true })
  })
})

describe('a result that no guest makes', () => {
  const nowhere = { send: () => {}, sendEncoded: () => {}, sendText: () => {} } as unknown as Link
  const to = { app: 1, generation: 1, gateways: [nowhere], pool: nowhere, nextChange: () => 1 }
  const send = (result: unknown): void => sendResult(checkResult(result), to)

  /** A result whose one command is this. */
  function resultWith(frame: Uint8Array): unknown[] {
    const bytes = new Uint8Array(TURN_HEADER_BYTES + frame.byteLength)
    bytes.set(frame, TURN_HEADER_BYTES)
    new DataView(bytes.buffer).setUint32(TurnWord.USED * 4, bytes.byteLength, true)
    return [bytes.buffer]
  }

  it('is refused, whatever its bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 600 }), fc.nat({ max: 700 }), fc.array(fc.anything(), { maxLength: 3 }), (bytes, used, extra) => {
        const buffer = new Uint8Array(bytes).buffer
        if (buffer.byteLength >= 4) new DataView(buffer).setUint32(0, used, true)
        try {
          send([buffer, ...extra])
        } catch (error) {
          expect(error).toBeInstanceOf(ResultError)
        }
      }),
      { numRuns: 500 }
    )
  })

  it('is refused when a command to a room has no message where it says, or goes to a gateway that there is not', () => {
    const payloads = [numbers(), numbers(4), numbers(0xffffffff), numbers(0xffffffff, 1), numbers(0xffffffff, 0x20000000, 0), numbers(0xfffffff0, 0, 0), numbers(0xffffffff, 0), numbers(0xffffffff, 0, 9)]
    for (const payload of payloads) {
      const frame = encodeFrame({ type: FrameType.SEND_ROOM, flags: Flag.EXTERNAL, gateway: ALL_GATEWAYS, app: 0, generation: 0, connection: 0, sequence: 0 }, payload)
      expect(() => send(resultWith(frame)), payload.toString('hex')).toThrow(ResultError)
    }
    for (const type of [FrameType.JOIN, FrameType.DATA, FrameType.UPGRADE_RESULT, FrameType.SEND]) {
      const frame = encodeFrame({ type, flags: 0, gateway: ALL_GATEWAYS, app: 0, generation: 0, connection: 0, sequence: 0 })
      expect(() => send(resultWith(frame))).toThrow(ResultError)
    }
    for (const type of [FrameType.JOIN, FrameType.DATA, FrameType.SEND_PING]) {
      const frame = encodeFrame({ type, flags: Flag.EXTERNAL, gateway: 0, app: 0, generation: 0, connection: 0, sequence: 0 }, numbers(0))
      expect(() => send([...resultWith(frame), 'value'])).toThrow(ResultError)
    }
  })

  it('is refused when a message is to be as it came, and no such one has come', () => {
    const event = Buffer.from(encodeFrame({ type: FrameType.MESSAGE, flags: 0, gateway: 0, app: 1, generation: 1, connection: 1, sequence: 1 }, Buffer.from('as it came')))
    const tooLong = Buffer.from(event)
    tooLong.writeUInt32LE(event.length + 1)
    const tooShort = Buffer.from(event)
    tooShort.writeUInt32LE(23)
    const cases: [came: Buffer, frame: number][] = [[event, 4], [event, event.length], [event, 0x7fffffff], [Buffer.alloc(0), 0], [tooLong, 0], [tooShort, 0]]
    for (const type of [FrameType.SEND, FrameType.SEND_MANY, FrameType.SEND_ROOM]) {
      const before = type === FrameType.SEND ? [] : type === FrameType.SEND_MANY ? [0] : [0xffffffff, 0]
      const result = (frame: number): unknown => resultWith(encodeFrame({ type, flags: Flag.EXTERNAL, gateway: 0, app: 0, generation: 0, connection: 0, sequence: 0 }, numbers(...before, AS_IT_CAME + frame)))
      for (const [came, frame] of cases) expect(() => sendResult(checkResult(result(frame), came.toString('latin1')), to)).toThrow(ResultError)
      expect(() => sendResult(checkResult(result(0), event.toString('latin1')), to)).not.toThrow()
    }
  })

  it('names no message of a gateway that it does not keep as such', () => {
    const came = (type: number): string => Buffer.from(encodeFrame({ type, flags: 0, gateway: 0, app: 1, generation: 1, connection: 1, sequence: 9 }, Buffer.from('it came'))).toString('latin1')
    const command = (...payload: number[]): unknown => resultWith(encodeFrame({ type: FrameType.SEND, flags: Flag.EXTERNAL, gateway: 0, app: 0, generation: 0, connection: 0, sequence: 0 }, numbers(...payload)))
    const sent: string[] = []
    const link = { ...nowhere, sendText: (_: unknown, text: string) => void sent.push(text), sendEncoded: (bytes: Uint8Array) => void sent.push(`sequence ${readU32(bytes, HEADER_BYTES)}`) } as unknown as Link
    for (const [type, payload] of [[FrameType.MESSAGE, [AS_IT_CAME]], [FrameType.REQUEST, [AS_IT_CAME]], [FrameType.MESSAGE, [AS_IT_CAME, 0]]] as const) sendResult(checkResult(command(...payload), came(type)), { ...to, gateways: [link] })
    expect(sent).toEqual(['sequence 9', 'it came', 'it came'])
  })

  it('is refused when it has a command that is longer than a frame can be', () => {
    const head = { gateway: 0, app: 0, generation: 0, connection: 0, sequence: 0 }
    const external = (type: number, gateway: number, ...payload: number[]): unknown[] => resultWith(encodeFrame({ ...head, type, gateway, flags: Flag.EXTERNAL }, numbers(...payload)))
    const most = MAX_FRAME_BYTES - HEADER_BYTES
    const cases: [result: unknown[], around: number][] = [
      [external(FrameType.SEND, 0, 0), 0],
      [external(FrameType.SEND_MANY, 0, 0, 0, 1, 2), 12],
      [external(FrameType.SEND_MANY, ALL_GATEWAYS, 4, 0, 0, 1, 0, 2), 12],
      [external(FrameType.SEND_ROOM, ALL_GATEWAYS, 4, 0x6d6f6f72, 0, 0), 12]
    ]
    for (const [result, around] of cases) {
      for (const value of [new ArrayBuffer(most - around), 'x'.repeat(most - around)]) expect(() => send([...result, value])).not.toThrow()
      for (const value of [new ArrayBuffer(most - around + 1), 'x'.repeat(most - around + 1), '€'.repeat(Math.ceil(most / 3))]) expect(() => send([...result, value])).toThrow(ResultError)
    }
    expect(() => send(resultWith(encodeFrame({ ...head, type: FrameType.SHARED, flags: 0 }, new Uint8Array(most + 1))))).toThrow(ResultError)
  })

  it('is refused when it is something else altogether', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(() => send(value)).toThrow(ResultError)
      })
    )
  })
})
