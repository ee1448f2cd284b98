/** Punycode (RFC 3492) of one label, without the `xn--`. Null is a failure. */

const BASE = 36
const T_MIN = 1
const T_MAX = 26
const MOST = 0x7fffffff

function adapt(delta: number, points: number, first: boolean): number {
  let rest = Math.floor(delta / (first ? 700 : 2))
  rest += Math.floor(rest / points)
  let k = 0
  for (; rest > ((BASE - T_MIN) * T_MAX) >> 1; k += BASE) rest = Math.floor(rest / (BASE - T_MIN))
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + 38))
}

const threshold = (k: number, bias: number): number => k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias

const digit = (value: number): string => String.fromCharCode(value < 26 ? value + 97 : value + 22)

export function punycodeEncode(label: string): string | null {
  const points = Array.from(label, character => character.codePointAt(0)!)
  const basic = points.filter(point => point < 0x80)
  let text = String.fromCharCode(...basic)
  if (basic.length > 0) text += '-'
  let [n, delta, bias, done] = [0x80, 0, 72, basic.length]
  while (done < points.length) {
    const next = Math.min(...points.filter(point => point >= n))
    delta += (next - n) * (done + 1)
    if (delta > MOST) return null
    n = next
    for (const point of points) {
      if (point < n) delta++
      if (point !== n) continue
      let q = delta
      for (let k = BASE; ; k += BASE) {
        const t = threshold(k, bias)
        if (q < t) break
        text += digit(t + ((q - t) % (BASE - t)))
        q = Math.floor((q - t) / (BASE - t))
      }
      text += digit(q)
      bias = adapt(delta, done + 1, done === basic.length)
      delta = 0
      done++
    }
    delta++
    n++
  }
  return text
}

export function punycodeDecode(text: string): string | null {
  const split = text.lastIndexOf('-')
  const points = Array.from(split > 0 ? text.slice(0, split) : '', character => character.codePointAt(0)!)
  if (points.some(point => point >= 0x80)) return null
  let [n, i, bias] = [0x80, 0, 72]
  for (let at = split > 0 ? split + 1 : 0; at < text.length;) {
    const before = i
    for (let weight = 1, k = BASE; ; k += BASE) {
      const value = at < text.length ? Number.parseInt(text[at]!, 36) : NaN
      if (Number.isNaN(value)) return null
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
    n += Math.floor(i / (points.length + 1))
    i %= points.length + 1
    if (n > 0x10ffff) return null
    points.splice(i++, 0, n)
  }
  return String.fromCodePoint(...points)
}
