/** Punycode (RFC 3492) of one label, without the `xn--`. Null is a failure. */
import { push } from '../../lists.ts'
import { bareArray, charCodeAt, fromCharCode, fromCodePoint, mathFloor, numberParseInt, stringCodePointAt, stringLastIndexOf } from '../../primordials.ts'

const BASE = 36
const T_MIN = 1
const T_MAX = 26
const MOST = 0x7fffffff

function adapt(delta: number, points: number, first: boolean): number {
  let rest = mathFloor(delta / (first ? 700 : 2))
  rest += mathFloor(rest / points)
  let k = 0
  for (; rest > ((BASE - T_MIN) * T_MAX) >> 1; k += BASE) rest = mathFloor(rest / (BASE - T_MIN))
  return k + mathFloor(((BASE - T_MIN + 1) * rest) / (rest + 38))
}

const threshold = (k: number, bias: number): number => k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias

const digit = (value: number): string => fromCharCode(value < 26 ? value + 97 : value + 22)

export function punycodeEncode(label: string): string | null {
  const points = pointsOf(label)
  let text = ''
  for (let i = 0; i < points.length; i++) if (points[i]! < 0x80) text += fromCharCode(points[i]!)
  const basic = text.length
  if (basic > 0) text += '-'
  let n = 0x80
  let delta = 0
  let bias = 72
  let done = basic
  while (done < points.length) {
    const next = lowestFrom(points, n)
    delta += (next - n) * (done + 1)
    if (delta > MOST) return null
    n = next
    for (let at = 0; at < points.length; at++) {
      const point = points[at]!
      if (point < n) delta++
      if (point !== n) continue
      let q = delta
      for (let k = BASE; ; k += BASE) {
        const t = threshold(k, bias)
        if (q < t) break
        text += digit(t + ((q - t) % (BASE - t)))
        q = mathFloor((q - t) / (BASE - t))
      }
      text += digit(q)
      bias = adapt(delta, done + 1, done === basic)
      delta = 0
      done++
    }
    delta++
    n++
  }
  return text
}

function pointsOf(text: string): number[] {
  const points = bareArray<number>()
  for (let i = 0; i < text.length; ) {
    const point = stringCodePointAt(text, i)!
    push(points, point)
    i += point > 0xffff ? 2 : 1
  }
  return points
}

function lowestFrom(points: number[], n: number): number {
  let lowest = Infinity
  for (let i = 0; i < points.length; i++) if (points[i]! >= n && points[i]! < lowest) lowest = points[i]!
  return lowest
}

export function punycodeDecode(text: string): string | null {
  const split = stringLastIndexOf(text, '-')
  const points = bareArray<number>()
  for (let at = 0; at < split; at++) {
    const point = charCodeAt(text, at)
    if (point >= 0x80) return null
    push(points, point)
  }
  let n = 0x80
  let i = 0
  let bias = 72
  for (let at = split > 0 ? split + 1 : 0; at < text.length;) {
    const before = i
    for (let weight = 1, k = BASE; ; k += BASE) {
      const value = at < text.length ? numberParseInt(text[at]!, 36) : NaN
      if (!(value >= 0)) return null
      at++
      // Digits of base 36 count 0-9a-z, Punycode's a-z0-9.
      const number = value < 10 ? value + 26 : value - 10
      i += number * weight
      if (i > MOST) return null
      const t = threshold(k, bias)
      if (number < t) break
      weight *= BASE - t
      if (weight > MOST) return null
    }
    bias = adapt(i - before, points.length + 1, before === 0)
    n += mathFloor(i / (points.length + 1))
    i %= points.length + 1
    if (n > 0x10ffff) return null
    insert(points, i++, n)
  }
  let decoded = ''
  for (let at = 0; at < points.length; at++) decoded += fromCodePoint(points[at]!)
  return decoded
}

function insert(points: number[], at: number, point: number): void {
  for (let i = points.length; i > at; i--) points[i] = points[i - 1]!
  points[at] = point
}
