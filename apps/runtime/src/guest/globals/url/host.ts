/** Hosts of URLs (URL Standard, "host parsing"): domains, IPv4 in all its old spellings, IPv6, and the opaque ones of schemes that nobody knows. Null is a failure. */
import { domainToAscii } from './idna.ts'
import { C0, encode, percentDecodeText } from './percent.ts'

// oxlint-disable-next-line no-control-regex
const FORBIDDEN_HOST = /[\0\t\n\r #/:<>?@[\\\]^|]/
// oxlint-disable-next-line no-control-regex
const FORBIDDEN_DOMAIN = /[\0-\x20#%/:<>?@[\\\]^|\x7f]/

export function parseHost(input: string, opaque: boolean): string | null {
  if (input.startsWith('[')) {
    const pieces = input.endsWith(']') ? parseIpv6(input.slice(1, -1)) : null
    return pieces === null ? null : `[${serializeIpv6(pieces)}]`
  }
  if (opaque) return FORBIDDEN_HOST.test(input) ? null : encode(input, C0)
  const domain = percentDecodeText(input)
  const ascii = domainToAscii(domain)
  if (ascii === null || ascii === '' || FORBIDDEN_DOMAIN.test(ascii)) return null
  return endsInNumber(ascii) ? parseIpv4(ascii) : ascii
}

function endsInNumber(domain: string): boolean {
  const labels = domain.split('.')
  if (labels.at(-1) === '') {
    if (labels.length === 1) return false
    labels.pop()
  }
  const last = labels.at(-1)!
  return /^\d+$/.test(last) || /^0x[\da-f]*$/i.test(last)
}

function parseIpv4(domain: string): string | null {
  const labels = domain.split('.')
  if (labels.at(-1) === '' && labels.length > 1) labels.pop()
  if (labels.length > 4) return null
  const numbers = labels.map(ipv4Number)
  const last = numbers.pop()!
  if (numbers.some(number => !(number <= 255)) || !(last < 256 ** (4 - numbers.length))) return null
  const address = numbers.reduce((sum, number, index) => sum + number * 256 ** (3 - index), last)
  return [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join('.')
}

/** Hexadecimal after `0x`, octal after `0`; NaN for what is no number. */
function ipv4Number(label: string): number {
  if (/^0x/i.test(label)) return label.length === 2 ? 0 : /^0x[\da-f]+$/i.test(label) ? Number.parseInt(label, 16) : NaN
  if (/^0\d/.test(label)) return /^[0-7]+$/.test(label) ? Number.parseInt(label, 8) : NaN
  return /^\d+$/.test(label) ? Number(label) : NaN
}

function parseIpv6(text: string): number[] | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [head, tail] = halves.map((half, index) => ipv6Pieces(half, index === halves.length - 1))
  if (head === null || head === undefined || tail === null) return null
  if (tail === undefined) return head.length === 8 ? head : null
  // "::" stands for one group at least.
  const gap = 8 - head.length - tail.length
  return gap < 1 ? null : [...head, ...Array.from({ length: gap }, () => 0), ...tail]
}

function ipv6Pieces(half: string, last: boolean): number[] | null {
  if (half === '') return []
  const pieces: number[] = []
  const groups = half.split(':')
  for (const [index, group] of groups.entries()) {
    if (/^[\da-f]{1,4}$/i.test(group)) {
      pieces.push(Number.parseInt(group, 16))
      continue
    }
    const parts = last && index === groups.length - 1 ? /^(\d|[1-9]\d{1,2})\.(\d|[1-9]\d{1,2})\.(\d|[1-9]\d{1,2})\.(\d|[1-9]\d{1,2})$/.exec(group) : null
    if (parts === null) return null
    const [a, b, c, d] = parts.slice(1).map(Number) as [number, number, number, number]
    if (Math.max(a, b, c, d) > 255) return null
    pieces.push(a * 256 + b, c * 256 + d)
  }
  return pieces.length > 8 ? null : pieces
}

const text = (part: number[]): string => part.map(piece => piece.toString(16)).join(':')

/** The first longest run of two zeros or more becomes `::`. */
function serializeIpv6(pieces: number[]): string {
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && pieces[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best.start < 0 ? text(pieces) : `${text(pieces.slice(0, best.start))}::${text(pieces.slice(best.start + best.length))}`
}
