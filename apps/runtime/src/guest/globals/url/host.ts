/** Hosts of URLs (URL Standard, "host parsing"): domains, IPv4 in all its old spellings, IPv6, and the opaque ones of schemes that nobody knows. Null is a failure. */
import { join, map, push, split } from '../../lists.ts'
import { match, matches } from '../../patterns.ts'
import { bareArray, mathFloor, mathMax, numberParseInt, numberToString, stringEndsWith, stringStartsWith, substring, toNumber } from '../../primordials.ts'
import { domainToAscii } from './idna.ts'
import { C0, encode, percentDecodeText } from './percent.ts'

// oxlint-disable-next-line no-control-regex
const FORBIDDEN_HOST = /[\0\t\n\r #/:<>?@[\\\]^|]/
// oxlint-disable-next-line no-control-regex
const FORBIDDEN_DOMAIN = /[\0-\x20#%/:<>?@[\\\]^|\x7f]/

export function parseHost(input: string, opaque: boolean): string | null {
  if (stringStartsWith(input, '[')) {
    const pieces = stringEndsWith(input, ']') ? parseIpv6(substring(input, 1, input.length - 1)) : null
    return pieces === null ? null : `[${serializeIpv6(pieces)}]`
  }
  if (opaque) return matches(FORBIDDEN_HOST, input) ? null : encode(input, C0)
  const domain = percentDecodeText(input)
  const ascii = domainToAscii(domain)
  if (ascii === null || ascii === '' || matches(FORBIDDEN_DOMAIN, ascii)) return null
  return endsInNumber(ascii) ? parseIpv4(ascii) : ascii
}

const DIGITS = /^\d+$/
const HEXADECIMAL = /^0x[\da-f]*$/i
const STARTS_OCTAL = /^0\d/
const OCTAL = /^[0-7]+$/

/** The labels of a domain, without the empty one behind a dot at its end. */
function labelsOf(domain: string): string[] {
  const labels = split(domain, '.')
  if (labels.length > 1 && labels[labels.length - 1] === '') labels.length--
  return labels
}

function endsInNumber(domain: string): boolean {
  const labels = labelsOf(domain)
  const last = labels[labels.length - 1]!
  return matches(DIGITS, last) || matches(HEXADECIMAL, last)
}

function parseIpv4(domain: string): string | null {
  const labels = labelsOf(domain)
  if (labels.length > 4) return null
  let address = 0
  for (let i = 0; i < labels.length; i++) {
    const number = ipv4Number(labels[i]!)
    const isLast = i === labels.length - 1
    // The last one stands for all that is left.
    if (!(number < (isLast ? 256 ** (4 - i) : 256))) return null
    address += isLast ? number : number * 256 ** (3 - i)
  }
  return `${byteOf(address, 24)}.${byteOf(address, 16)}.${byteOf(address, 8)}.${byteOf(address, 0)}`
}

const byteOf = (address: number, shift: number): number => mathFloor(address / 2 ** shift) % 256

/** Hexadecimal after `0x`, octal after `0`; NaN for what is no number. */
function ipv4Number(label: string): number {
  if (matches(HEXADECIMAL, label)) return label.length === 2 ? 0 : numberParseInt(label, 16)
  if (matches(STARTS_OCTAL, label)) return matches(OCTAL, label) ? numberParseInt(label, 8) : NaN
  return matches(DIGITS, label) ? toNumber(label) : NaN
}

function parseIpv6(text: string): number[] | null {
  const halves = split(text, '::')
  if (halves.length > 2) return null
  const head = ipv6Pieces(halves[0]!, halves.length === 1)
  if (head === null) return null
  if (halves.length === 1) return head.length === 8 ? head : null
  const tail = ipv6Pieces(halves[1]!, true)
  // "::" stands for one group at least.
  if (tail === null || head.length + tail.length > 7) return null
  const pieces = head
  while (pieces.length + tail.length < 8) push(pieces, 0)
  for (let i = 0; i < tail.length; i++) push(pieces, tail[i]!)
  return pieces
}

const GROUP = /^[\da-f]{1,4}$/i
const DOTTED = /^(\d|[1-9]\d{1,2})\.(\d|[1-9]\d{1,2})\.(\d|[1-9]\d{1,2})\.(\d|[1-9]\d{1,2})$/

function ipv6Pieces(half: string, last: boolean): number[] | null {
  const pieces = bareArray<number>()
  if (half === '') return pieces
  const groups = split(half, ':')
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i]!
    if (matches(GROUP, group)) {
      push(pieces, numberParseInt(group, 16))
      continue
    }
    const parts = last && i === groups.length - 1 ? match(DOTTED, group) : null
    if (parts === null) return null
    const a = toNumber(parts[1])
    const b = toNumber(parts[2])
    const c = toNumber(parts[3])
    const d = toNumber(parts[4])
    if (mathMax(a, b, c, d) > 255) return null
    push(pieces, a * 256 + b)
    push(pieces, c * 256 + d)
  }
  return pieces.length > 8 ? null : pieces
}

/** The pieces from `start` to `end`. */
function groupsOf(pieces: number[], start: number, end: number): string {
  return join(map(pieces, (piece, index) => (index >= start && index < end ? `${index > start ? ':' : ''}${numberToString(piece, 16)}` : '')), '')
}

/** The first longest run of two zeros or more becomes `::`. */
function serializeIpv6(pieces: number[]): string {
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && pieces[start + length] === 0) length++
    if (length > best.length) best = { start, length }
  }
  return best.start < 0 ? groupsOf(pieces, 0, 8) : `${groupsOf(pieces, 0, best.start)}::${groupsOf(pieces, best.start + best.length, 8)}`
}
