import { ALL_GATEWAYS, Flag, FrameType, NO_ROOM, paddedLength, readU32 } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acknowledged, closed, framesOf, makeHarness, type FarEnd, type Harness } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

/** What a SEND_ROOM says. */
function readRoom(payload: Buffer): { room: string | null; except: [number, number][]; message: Buffer } {
  const length = readU32(payload, 0)
  const countAt = 4 + (length === NO_ROOM ? 0 : paddedLength(length))
  const count = readU32(payload, countAt)
  const except = Array.from({ length: count }, (_, index): [number, number] => [readU32(payload, countAt + 4 + index * 8), readU32(payload, countAt + 8 + index * 8)])
  return { room: length === NO_ROOM ? null : payload.toString('utf8', 4, 4 + length), except, message: payload.subarray(countAt + 4 + count * 8) }
}

const rooms = ({ frames }: FarEnd): FarEnd['frames'] => frames.filter(({ head }) => head.type === FrameType.SEND_ROOM)

describe('rooms', () => {
  it('are joined and left once, are live and iterable, and a closed socket is in none when its close event runs', async () => {
    const test = await harness.start(`
      const { default: cloud } = require('@lafjs/cloud')
      const room = cloud.sockets.in('lobby')
      let first
      exports.main = ({ socket, method, params }) => {
        first ??= socket
        const text = String(params?.data ?? method)
        if (text === 'join') socket.join('lobby').join('lobby').join('böse')
        if (text === 'leave') socket.leave('böse').leave('never')
        const seen = []
        room.forEach((one, same, of) => seen.push(one.id === same.id && of === room))
        socket.rooms.add('not really')
        console.log(JSON.stringify([text, room.size, room.has(first), [...room].map(({ id }) => id), [...socket.rooms], seen, cloud.sockets.size]))
      }`)
    test.open(1)
    test.open(2)
    test.event(FrameType.MESSAGE, 1, 'join')
    test.event(FrameType.MESSAGE, 2, 'join')
    test.event(FrameType.MESSAGE, 2, 'leave')
    const last = test.event(FrameType.CLOSED, 1, closed(1000))
    await test.until((frames) => acknowledged(frames).includes(last) && test.logs().length === 6)
    expect(test.logs().map(({ message }) => JSON.parse(message)).slice(2)).toEqual([
      ['join', 1, true, ['id-1'], ['lobby', 'böse'], [true], 2],
      ['join', 2, true, ['id-1', 'id-2'], ['lobby', 'böse'], [true, true], 2],
      ['leave', 2, true, ['id-1', 'id-2'], ['lobby'], [true, true], 2],
      ['WebSocket:close', 1, false, ['id-2'], [], [true], 1]
    ])
    const commands = test.gateway.frames.filter(({ head }) => head.type === FrameType.JOIN || head.type === FrameType.LEAVE)
    expect(commands.map(({ head, payload }) => [head.type, head.connection, payload.toString()])).toEqual([
      [FrameType.JOIN, 1, 'lobby'], [FrameType.JOIN, 1, 'böse'], [FrameType.JOIN, 2, 'lobby'], [FrameType.JOIN, 2, 'böse'], [FrameType.LEAVE, 2, 'böse']
    ])
  })

  it('come back with the connection in a new isolate', async () => {
    const test = await harness.start(`exports.main = ({ socket }) => { console.log(JSON.stringify([[...socket.rooms], require('@lafjs/cloud').default.sockets.in('a').size])) }`)
    test.open(1, { type: FrameType.ATTACH, rooms: ['a', 'b'] })
    test.open(2, { type: FrameType.ATTACH, rooms: ['a'] })
    test.event(FrameType.MESSAGE, 1, 'x')
    await test.until(() => test.logs().length === 1)
    expect(JSON.parse(test.logs()[0]!.message)).toEqual([['a', 'b'], 2])
    expect(framesOf(test, FrameType.JOIN)).toEqual([])
  })

  it('that everybody has left hold no memory', async () => {
    const test = await harness.start(
      `let next = 0
      exports.main = ({ socket, method }) => {
        if (method !== 'WebSocket:message') return
        for (let i = 0; i < 5_000; i++) { const name = 'x'.repeat(240) + next++; socket.join(name).leave(name) }
      }`,
      { limits: { heapMiB: 16 } }
    )
    test.open(1)
    for (let turn = 0; turn < 24; turn++) {
      const sequence = test.event(FrameType.MESSAGE, 1, 'go')
      await test.until((frames) => test.downs.length > 0 || acknowledged(frames).includes(sequence))
    }
    expect(test.downs).toEqual([])
  })

  it('have names of up to 256 units, and a socket is in 1,000 at most', async () => {
    const test = await harness.start(`
      exports.main = ({ socket }) => {
        const thrown = (room) => { try { socket.join(room); return 'joined' } catch (error) { return error.name } }
        const names = [undefined, 7, '', 'x'.repeat(257), '\\ud800', 'x'.repeat(256)].map(thrown)
        for (let i = 0; i < 999; i++) socket.join('room ' + i)
        console.log(JSON.stringify([...names, thrown('one more'), thrown('room 7'), socket.rooms.size]))
      }`)
    test.open(1)
    await test.until(() => test.logs().length === 1)
    expect(JSON.parse(test.logs()[0]!.message)).toEqual(['TypeError', 'TypeError', 'TypeError', 'RangeError', 'TypeError', 'joined', 'RangeError', 'joined', 1000])
  })
})

describe('a message to a room', () => {
  const CODE = `
    const { default: cloud } = require('@lafjs/cloud')
    exports.main = ({ socket, params }) => {
      if (!params) return
      const text = String(params.data)
      const room = cloud.sockets.in('röom')
      if (text === 'plain') room.send('hello')
      if (text === 'except') room.send(Buffer.from('bytes'), { except: socket })
      if (text === 'list') cloud.sockets.send('to all', { except: cloud.sockets, binary: true })
      if (text === 'long') room.send('服'.repeat(2000), { except: [socket] })
      if (text === 'long bytes') cloud.sockets.send(new Uint8Array(5000).fill(7))
      if (text === 'wrong') for (const except of [7, {}, [socket, {}], 'x']) try { room.send('x', { except }) } catch (error) { console.log(error.name + ' ' + error.message) }
    }`

  it('is one command, which every gateway gets, with who is left out', async () => {
    const test = await harness.start(CODE, { gateways: 3 })
    test.open(1)
    test.open(9, { gateway: 2 })
    for (const text of ['plain', 'except', 'list', 'long', 'long bytes', 'wrong']) test.event(FrameType.MESSAGE, 9, text, 0, 2)
    const last = test.event(FrameType.MESSAGE, 1, 'x')
    await test.until((frames) => acknowledged(frames).includes(last) && test.gateways.every((one) => rooms(one).length === 5) && test.logs().length === 4)
    for (const [index, gateway] of test.gateways.entries()) {
      expect(rooms(gateway).every(({ head }) => head.gateway === index && head.app === 7 && head.generation === 3)).toBe(true)
      expect(rooms(gateway).map(({ head, payload }) => [head.flags, readRoom(payload)])).toEqual([
        [0, { room: 'röom', except: [], message: Buffer.from('hello') }],
        [Flag.BINARY, { room: 'röom', except: [[2, 9]], message: Buffer.from('bytes') }],
        [Flag.BINARY, { room: null, except: [[0, 1], [2, 9]], message: Buffer.from('to all') }],
        [0, { room: 'röom', except: [[2, 9]], message: Buffer.from('服'.repeat(2000)) }],
        [Flag.BINARY, { room: null, except: [], message: Buffer.alloc(5000, 7) }]
      ])
    }
    expect(test.logs().map(({ message }) => message)).toEqual(['TypeError', 'TypeError', 'TypeError', 'TypeError'].map((name) => `${name} except must be a socket or a list of sockets`))
    expect(ALL_GATEWAYS).toBeGreaterThan(2)
  })

  it('takes the data that a socket takes: numbers as texts, and nothing as nothing', async () => {
    const test = await harness.start(`
      const { default: cloud } = require('@lafjs/cloud')
      exports.main = () => { for (const data of [5, 0, '', null, undefined]) cloud.sockets.send(data) }`)
    test.open(1)
    await test.until(() => rooms(test.gateway).length === 5)
    expect(rooms(test.gateway).map(({ head, payload }) => [head.flags & Flag.BINARY, readRoom(payload).message.toString()])).toEqual([[0, '5'], [0, '0'], [0, ''], [Flag.BINARY, ''], [Flag.BINARY, '']])
  })

  it('reaches nobody who has left', async () => {
    const test = await harness.start(`
      const { default: cloud } = require('@lafjs/cloud')
      exports.main = ({ socket }) => {
        socket.join('a').join('b').leave('a')
        console.log(JSON.stringify(['a', 'b'].map((name) => [cloud.sockets.in(name).size, cloud.sockets.in(name).has(socket), [...cloud.sockets.in(name)].length])))
      }`)
    test.open(1)
    await test.until(() => test.logs().length === 1)
    expect(JSON.parse(test.logs()[0]!.message)).toEqual([[0, false, 0], [1, true, 1]])
  })

  it('stays in its place between other commands', async () => {
    const test = await harness.start(`
      const { default: cloud } = require('@lafjs/cloud')
      exports.main = ({ socket }) => { socket.join('a'); socket.send('1'); cloud.sockets.in('a').send('2'); socket.send('3'); cloud.sockets.in('a').send('4'.repeat(3000)); socket.send('5'.repeat(3000)); socket.leave('a') }`)
    test.open(1)
    await test.until(() => framesOf(test, FrameType.LEAVE).length === 1)
    const all = test.gateway.frames.map(({ head, payload }) => [head.type, head.type === FrameType.SEND_ROOM ? readRoom(payload).message.toString()[0] : payload.toString()[0]])
    expect(all.slice(0, 7)).toEqual([
      [FrameType.JOIN, 'a'], [FrameType.SEND, '1'], [FrameType.SEND_ROOM, '2'], [FrameType.SEND, '3'], [FrameType.SEND_ROOM, '4'], [FrameType.SEND, '5'], [FrameType.LEAVE, 'a']
    ])
  })

  it('does not overtake a Blob that a receiver is still to get; the other receivers do not wait', async () => {
    const test = await harness.start(`
      const { default: cloud } = require('@lafjs/cloud')
      exports.main = ({ method, socket }) => {
        socket.join('a')
        if (method !== 'WebSocket:message') return
        const [one, two, three] = cloud.sockets
        const bytes = Buffer.from('3')
        for (const blob of [one, two]) blob.send(new Blob(['1']))
        cloud.sockets.in('a').send('2')
        cloud.sockets.send(bytes, { except: two })
        bytes[0] = 0x78
        one.send('4')
        one.send(new Blob(['5']))
        cloud.sockets.in('nobody').send('6')
        cloud.sockets.send('7', { except: [three] })
        one.close()
        cloud.sockets.send('8')
        setTimeout(() => cloud.sockets.send('9'), 50)
      }`)
    for (const connection of [1, 2, 3]) test.open(connection)
    test.event(FrameType.MESSAGE, 1, 'go')
    await test.until((frames) => frames.some(({ head, payload }) => head.type === FrameType.SEND_ROOM && readRoom(payload).message.toString() === '9'))
    const toOne = test.gateway.frames.filter(({ head }) => head.connection === 1 && head.type !== FrameType.JOIN).map(({ head, payload }) => (head.type === FrameType.SEND ? `${head.flags} ${payload}` : head.type))
    expect(toOne.slice(0, 6)).toEqual([`${Flag.BINARY} 1`, '0 2', `${Flag.BINARY} 3`, '0 4', `${Flag.BINARY} 5`, '0 7'])
    expect(toOne[6]).toBe(FrameType.CLOSE)
    expect(test.gateway.frames.filter(({ head }) => head.connection === 2 && head.type === FrameType.SEND).map(({ payload }) => payload.toString())).toEqual(['1', '2', '7', '8'])
    const toRooms = rooms(test.gateway).map(({ payload }) => readRoom(payload))
    expect(toRooms.map(({ message, except }) => [message.toString(), except.map(([, number]) => number)])).toEqual([
      ['2', [1, 2]], ['3', [2, 1]], ['6', []], ['7', [3, 1, 2]], ['8', [1, 2]], ['9', []]
    ])
  })
})
