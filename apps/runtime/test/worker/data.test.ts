import { FrameType } from '@socklet/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acknowledged, framesOf, makeHarness, type Harness, type TestApp } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

const CODE = `
  let kept
  exports.main = async ({ socket, params, method }) => {
    const text = String(params?.data ?? '')
    const report = (value) => console.log(JSON.stringify(value))
    const thrown = (value) => { try { socket.data = value; return 'kept' } catch (error) { return error.name } }
    if (text === 'set') { kept = { n: 1, list: [new Date(0)] }; socket.data = kept; report(socket.data === kept) }
    if (text === 'same') report([socket.data === kept, socket.data.n])
    if (text === 'change') socket.data.n++
    if (text === 'look') report(socket.data)
    if (text === 'refuse') report([thrown('x'.repeat(16400)), thrown(() => {}), thrown(Symbol.iterator), thrown({ f() {} })])
    if (text === 'grow') socket.data.big = 'x'.repeat(20000)
    if (text === 'shrink') socket.data.big = 'small'
    if (text === 'clear') socket.data = undefined
    if (text === 'later') { const data = socket.data; await new Promise((resolve) => setTimeout(resolve, 5)); data.n = 'later' }
  }`

async function say(test: TestApp, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    const sequence = test.event(FrameType.MESSAGE, 1, text)
    await test.until((frames) => acknowledged(frames).includes(sequence))
  }
}

const dataOf = (test: TestApp): Buffer[] => framesOf(test, FrameType.DATA).map(({ payload }) => payload)

describe('socket.data', () => {
  it('is kept when it is set, and again when something in it has changed', async () => {
    const test = await harness.start(CODE)
    test.open(1)
    await say(test, 'set', 'same', 'look')
    expect(dataOf(test)).toHaveLength(1)
    await say(test, 'change', 'look')
    expect(dataOf(test)).toHaveLength(2)
    await say(test, 'later')
    expect(dataOf(test)).toHaveLength(3)
    await say(test, 'clear')
    expect(dataOf(test).at(-1)!.byteLength).toBe(0)
    expect(test.logs().slice(0, 2).map(({ message }) => JSON.parse(message))).toEqual([true, [true, 1]])
  })

  it('comes back in a new isolate, as it was sent last', async () => {
    const before = await harness.start(CODE)
    before.open(1)
    await say(before, 'set', 'change')
    const after = await harness.start(CODE)
    after.open(1, { type: FrameType.ATTACH, data: dataOf(before).at(-1)! })
    await say(after, 'look', 'change', 'look')
    expect(after.logs().map(({ message }) => JSON.parse(message).n)).toEqual([2, 3])
    // Reading it is no change.
    expect(dataOf(after)).toHaveLength(1)
    const opened = await harness.start(CODE)
    opened.open(1)
    await say(opened, 'look')
    expect(opened.logs()[0]!.message).toBe('undefined')
  })

  it('is kept as it is when the isolate is put away, also where nobody has read it since it changed', async () => {
    const test = await harness.start(`
      exports.main = ({ socket, params }) => {
        if (!params) return
        const data = { n: 0 }
        socket.data = data
        setTimeout(() => { data.n = 1; console.log('changed') }, 5)
      }`)
    test.open(1)
    await say(test, 'x')
    await test.until(() => test.logs().length > 0)
    expect(dataOf(test)).toHaveLength(1)
    expect(await test.app.putAway(true)).toBe(true)
    await test.until(() => dataOf(test).length === 2)
  })

  it('refuses what is above 16 KiB or cannot be cloned, and stays what it was', async () => {
    const test = await harness.start(CODE)
    test.open(1)
    await say(test, 'set', 'refuse', 'same')
    expect(test.logs().filter(({ level }) => level === 'info').slice(1).map(({ message }) => JSON.parse(message))).toEqual([['RangeError', 'DataCloneError', 'DataCloneError', 'DataCloneError'], [true, 1]])
    expect(dataOf(test)).toHaveLength(1)
  })

  it('that grows above 16 KiB is told once in the log, and what was good survives', async () => {
    const test = await harness.start(CODE)
    test.open(1)
    await say(test, 'set', 'grow', 'grow', 'change')
    expect(test.logs().filter(({ level }) => level === 'error')).toEqual([expect.objectContaining({ connection: 'id-1', message: expect.stringContaining('socket.data of id-1') })])
    expect(dataOf(test)).toHaveLength(1)
    await say(test, 'shrink')
    expect(dataOf(test)).toHaveLength(2)
  })
})

it('what a full turn has no room for is refused there, and kept when it is set again', async () => {
  const test = await harness.start(`
    exports.main = ({ params, socket }) => {
      if (!params) return
      const text = String(params.data)
      if (text === 'fill') for (const size of [1_000_000, 1_000, 1]) {
        try { for (let n = 0; ; n++) socket.send(n + 'x'.repeat(size)) } catch {}
      }
      try {
        socket.data = 'kept'
      } catch (error) {
        console.log(error.name, socket.data)
      }
    }`, { limits: { heapMiB: 512, turnCpuMs: 60_000 } })
  test.open(1)
  for (const text of ['fill', 'again']) {
    const sequence = test.event(FrameType.MESSAGE, 1, text)
    await test.until((frames) => acknowledged(frames).includes(sequence))
  }
  expect(test.logs().filter(({ level }) => level === 'info').map(({ message }) => message)).toEqual(['RangeError undefined'])
  expect(framesOf(test, FrameType.DATA)).toHaveLength(1)
})
