import { FrameType } from '@socklet/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { acknowledged, makeHarness, type Harness, type TestApp } from './harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await makeHarness()
})
afterAll(() => harness.close())

/**
 * Changes `cloud.shared` at random, at any depth, by any of the ways that there are, and describes what is in it: every
 * object gets a number where it is met first, so that two descriptions are equal only if the identities are as well.
 */
const CODE = `
  const { shared, sockets } = require('@lafjs/cloud').default
  let seed = 1
  const random = (below) => { seed = (seed * 1103515245 + 12345) % 2147483648; return Math.floor((seed / 2147483648) * below) }
  const pick = (list) => list[random(list.length)]
  const KEYS = ['a', 'b', 'c', 'd', 1, true, null]
  const isObject = (value) => typeof value === 'object' && value !== null && !(value instanceof Date) && !(value instanceof Uint8Array) && value.readyState === undefined
  const children = (value) => value instanceof Map ? [...value.values(), ...value.keys()] : value instanceof Set ? [...value] : Object.values(value)

  /** Some object that is reached from shared, by reading on the way as functions do. */
  function somewhere() {
    let at = shared
    for (let depth = random(5); depth > 0; depth--) {
      const next = children(at).filter(isObject)
      if (next.length === 0) break
      at = pick(next)
    }
    return at
  }
  function anything(depth = 0) {
    const kinds = depth > 2 ? 6 : 13
    switch (random(kinds)) {
      case 0: return random(1000)
      case 1: return 'text ' + random(100)
      case 2: return new Date(random(1e6))
      case 3: return new Uint8Array([random(256), random(256)])
      case 4: return pick([undefined, null, NaN, -0, 10n ** 20n])
      case 5: return pick([...sockets])
      case 6: case 7: return new Map(Array.from({ length: random(4) }, () => [pick(KEYS), anything(depth + 1)]))
      case 8: return new Set(Array.from({ length: random(4) }, () => anything(depth + 1)))
      case 9: return Array.from({ length: random(4) }, () => anything(depth + 1))
      case 10: return Object.fromEntries(Array.from({ length: random(4) }, () => [String(pick(KEYS)), anything(depth + 1)]))
      default: return somewhere()
    }
  }
  function change(at) {
    if (at instanceof Map) {
      const way = random(12)
      if (way < 6) at.set(pick(KEYS), anything())
      else if (way < 8) at.delete(pick([...at.keys(), 'a']))
      else if (way === 8 && random(3) === 0) at.clear()
      else if (way === 9) at.getOrInsertComputed(pick(KEYS), () => anything())
      else if (way === 10 && isObject(at.get('a'))) at.set(at.get('a'), anything())
      else Map.prototype.set.call(at, pick(KEYS), anything())
    } else if (at instanceof Set) {
      const way = random(6)
      if (way < 3) at.add(anything())
      else if (way < 5) at.delete(pick([...at]))
      else at.clear()
    } else if (Array.isArray(at)) {
      const way = random(4)
      if (way === 0) at.push(anything())
      else if (way === 1) at.length = Math.max(0, at.length - 1)
      else if (at.length > 0) at[random(at.length)] = anything()
    } else if (random(4) === 0) delete at[String(pick(KEYS))]
    else at[String(pick(KEYS))] = anything()
  }
  function describe() {
    const numbers = new Map()
    const tell = (value) => {
      if (typeof value === 'bigint') return value + 'n'
      if (Object.is(value, -0)) return '-0'
      if (typeof value !== 'object' || value === null) return String(value) + ' ' + typeof value
      if (value.readyState !== undefined) return 'socket ' + value.id
      if (numbers.has(value)) return '#' + numbers.get(value)
      numbers.set(value, numbers.size)
      const number = numbers.get(value)
      if (value instanceof Date) return number + ' date ' + value.getTime()
      if (value instanceof Uint8Array) return number + ' bytes ' + [...value]
      if (value instanceof Map) return number + ' Map{' + [...value].map(([key, item]) => tell(key) + '=>' + tell(item)).join() + '}'
      if (value instanceof Set) return number + ' Set{' + [...value].map(tell).join() + '}'
      if (Array.isArray(value)) return number + ' [' + value.map(tell).join() + ']'
      return number + ' {' + Object.entries(value).map(([key, item]) => key + ':' + tell(item)).join() + '}'
    }
    return tell(shared)
  }
  exports.main = async (ctx) => {
    if (ctx.method !== 'WebSocket:message') return
    const [what, number] = String(ctx.params.data).split(' ')
    if (what === 'change') {
      seed = Number(number)
      for (let i = 0; i < 10; i++) {
        change(somewhere())
        if (random(8) === 0) await null
      }
    }
    ctx.socket.send(describe())
  }`

async function say(test: TestApp, text: string): Promise<string> {
  const before = test.texts().length
  const sequence = test.event(FrameType.MESSAGE, 1, text)
  await test.until((frames) => acknowledged(frames).includes(sequence))
  const answer = test.texts()[before]
  if (answer === undefined) throw new Error(`no answer to ${text}: ${JSON.stringify(test.logs())}`)
  return answer
}

async function newIsolate(appid: string): Promise<TestApp> {
  const test = await harness.start(CODE, { appid, limits: { sharedBytes: 4 * 1024 * 1024 } })
  for (const connection of [1, 2, 3]) test.open(connection, { type: FrameType.ATTACH })
  return test
}

const SEED = Number(process.env['SOCKLET_TEST_SEED'] ?? 20_261_124)
const LIVES = Number(process.env['SOCKLET_TEST_LIVES'] ?? (process.env['SOCKLET_TEST_LONG'] === '1' ? 400 : 40))

it(`what comes back is what was there, identities and order as well (seed ${SEED})`, { timeout: 60_000 + LIVES * 1_000 }, async () => {
  let seed = SEED
  for (let app = 0; app < LIVES / 10; app++) {
    const appid = `random-${app}`
    let test = await newIsolate(appid)
    let before = await say(test, 'look')
    for (let life = 0; life < 10; life++) {
      for (let turn = 0; turn < 8; turn++) before = await say(test, `change ${seed++}`)
      // Now and then it is put away in order, most often it just ends.
      if (life % 3 === 0) await test.app.putAway(true)
      test.app.dispose()
      test = await newIsolate(appid)
      expect(await say(test, 'look'), `the state after seed ${seed - 1}`).toBe(before)
    }
    test.app.dispose()
  }
})
