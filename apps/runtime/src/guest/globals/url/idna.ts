/**
 * International domain names (Unicode Technical Standard 46, non-transitional, as the URL Standard asks). The tables that others bring weigh 300 KB; V8 has nearly all of them:
 * the mapping is compatibility normalisation with case folding, what is allowed follows from general categories. What differs was found by comparing every code point with Node's answer.
 */
import { join, map, push, split } from '../../lists.ts'
import { matches, replaceMatches } from '../../patterns.ts'
import { bareArray, stringCodePointAt, stringNormalize, stringStartsWith, stringToLowerCase, stringToUpperCase, substring } from '../../primordials.ts'
import { punycodeDecode, punycodeEncode } from './punycode.ts'

/** Null is a failure. */
export function domainToAscii(domain: string): string | null {
  // As Node and the browsers have it: what is ASCII already is not looked into, not even behind `xn--`.
  if (isAscii(domain)) return stringToLowerCase(domain)
  const decoded = map(split(mapped(domain), '.'), label => stringStartsWith(label, 'xn--') ? decodedLabel(label) : label)
  let rightToLeft = false
  for (let i = 0; i < decoded.length; i++) if (decoded[i] !== null && matches(RTL, decoded[i]!)) rightToLeft = true
  const out = bareArray<string>()
  for (let i = 0; i < decoded.length; i++) {
    const label = decoded[i]!
    if (label === null || !isValid(label) || (rightToLeft && !followsBidi(label))) return null
    const ascii = isAscii(label) ? label : punycoded(label)
    if (ascii === null) return null
    push(out, ascii)
  }
  return join(out, '.')
}

// oxlint-disable-next-line no-control-regex
const ASCII = /^[\0-\x7f]*$/
const isAscii = (text: string): boolean => matches(ASCII, text)

function punycoded(label: string): string | null {
  const text = punycodeEncode(label)
  return text === null ? null : `xn--${text}`
}

/** A label that comes encoded must be what its own decoded form would be encoded as. */
function decodedLabel(label: string): string | null {
  const text = isAscii(label) ? punycodeDecode(substring(label, 4, label.length)) : null
  return text === null || text === '' || isAscii(text) || mapped(text) !== text ? null : text
}

/** Mapped to nothing. */
// oxlint-disable-next-line no-misleading-character-class -- single code points are meant
const IGNORED = /[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2064\u206a-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0100}-\u{e01ef}]/gu
const DOTS = /[\u3002\uff0e\uff61]/g
/** Letters that case folding would change and UTS 46 keeps, and Cherokee, whose capitals are the normal form. */
const KEPT = /[\u00df\u0131]/
const CHEROKEE = /[\u13a0-\u13fd\uab70-\uabbf]/
const DOT_WITHIN = /[.\u3002]/
const REFUSED = '\ufffd'

function mapped(domain: string): string {
  if (isAscii(domain)) return stringToLowerCase(domain)
  const plain = replaceMatches(replaceMatches(domain, IGNORED, () => ''), DOTS, () => '.')
  return stringNormalize(eachCharacter(plain, fold), 'NFC')
}

/** By code points. */
function eachCharacter(text: string, make: (character: string) => string): string {
  let made = ''
  for (let i = 0; i < text.length; ) {
    const end = i + (stringCodePointAt(text, i)! > 0xffff ? 2 : 1)
    made += make(substring(text, i, end))
    i = end
  }
  return made
}

function fold(character: string): string {
  if (character < '\x80') return stringToLowerCase(character)
  if (character === '\u1e9e') return 'ß'
  if (character === 'ς') return character
  const folded = stringNormalize(eachCharacter(stringNormalize(character, 'NFKC'), foldOne), 'NFKC')
  // "⒈" and "㏂" would bring dots into a name.
  return matches(DOT_WITHIN, folded) ? REFUSED : folded
}

function foldOne(character: string): string {
  if (matches(KEPT, character)) return character
  if (matches(CHEROKEE, character)) return stringToUpperCase(character)
  // Up and down again is the nearest thing to case folding.
  return stringToLowerCase(stringToUpperCase(character))
}

/** Unassigned, private, surrogates, controls and formats, separators; signs that describe or replace characters. */
const DISALLOWED = /[\p{Cn}\p{Co}\p{Cs}\p{Cc}\p{Cf}\p{Z}\u2ff0-\u2fff\u31ef\ufffc\ufffd]/u

const STARTS_WITH_MARK = /^\p{M}/u
const JOINER = /[\u200c\u200d]/g

function isValid(label: string): boolean {
  if (isAscii(label)) return true
  if (matches(STARTS_WITH_MARK, label)) return false
  const bare = replaceMatches(label, JOINER, () => '')
  return !matches(DISALLOWED, withoutAscii(bare)) && joinersFit(label)
}

/** What ASCII a domain may have is the URL Standard's own rule. */
// oxlint-disable-next-line no-control-regex
const EACH_ASCII = /[\0-\x7f]/g
const withoutAscii = (text: string): string => replaceMatches(text, EACH_ASCII, () => '')

/** Signs after which a joiner may stand (canonical combining class "virama"), and scripts whose letters join (RFC 5892, A.1 and A.2, without its finer joining types). */
const VIRAMA = '\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0e3a\u0eba\u0f84\u1039\u103a\u1714\u1715\u1734\u17d2\u1a60\u1b44\u1baa\u1bab\u1bf2\u1bf3\u2d7f\ua806\ua82c\ua8c4\ua953\ua9c0\uaaf6\uabed'
const JOINING = '\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Mongolian}\\p{Script=Nko}'
const JOINERS = new RegExp(`(?<![${VIRAMA}])(?:\\u200d|(?<![${JOINING}])\\u200c|\\u200c(?!\\p{M}*[${JOINING}]))`, 'u')

const joinersFit = (label: string): boolean => !matches(JOINERS, label)

// Bidirectional classes: V8 has no property for them, but they come in blocks. The neutral ones and digits within are named.
const NEUTRAL = '\\u0606\\u0607\\u0609\\u060a\\u060c\\u060e\\u060f\\u066a\\u06de\\u06e9\\u06f0-\\u06f9\\u07f6-\\u07f9\\ufd3e-\\ufd4f\\ufdcf\\ufdfd-\\ufdff\\u{1091f}\\u{10b39}-\\u{10b3f}\\u{1eef0}\\u{1eef1}'
const ARABIC_DIGIT = '\\u0600-\\u0605\\u0660-\\u0669\\u066b\\u066c\\u06dd\\u0890\\u0891\\u08e2\\u{10d30}-\\u{10d39}\\u{10e60}-\\u{10e7e}'
const EUROPEAN = '0-9\\u06f0-\\u06f9'
const RIGHT_BLOCKS = '\\u0590-\\u08ff\\ufb1d-\\ufdff\\ufe70-\\ufefe\\u{10800}-\\u{10fff}\\u{1e800}-\\u{1efff}'
const RIGHT = `[[${RIGHT_BLOCKS}]--[\\p{M}${NEUTRAL}${ARABIC_DIGIT}]]`
const LEFT = `[[\\p{L}\\p{Mc}]--[${RIGHT_BLOCKS}]]`

const HAS_LEFT = new RegExp(LEFT, 'v')
const HAS_ARABIC_DIGIT = new RegExp(`[${ARABIC_DIGIT}]`, 'v')
const HAS_EUROPEAN = new RegExp(`[${EUROPEAN}]`, 'v')
const RTL = new RegExp(`${RIGHT}|[${ARABIC_DIGIT}]`, 'v')
const STARTS_RIGHT = new RegExp(`^${RIGHT}`, 'v')
const STARTS_LEFT = new RegExp(`^${LEFT}`, 'v')
const ENDS_RIGHT = new RegExp(`(?:${RIGHT}|[${ARABIC_DIGIT}${EUROPEAN}])\\p{Mn}*$`, 'v')
const ENDS_LEFT = new RegExp(`(?:${LEFT}|[${EUROPEAN}])\\p{Mn}*$`, 'v')

/** The Bidi rule of RFC 5893, section 2, for a label of a name that has right-to-left letters anywhere. */
function followsBidi(label: string): boolean {
  if (label === '') return true
  if (matches(STARTS_RIGHT, label)) {
    const mixed = matches(HAS_ARABIC_DIGIT, label) && matches(HAS_EUROPEAN, label)
    return !matches(HAS_LEFT, label) && matches(ENDS_RIGHT, label) && !mixed
  }
  return matches(STARTS_LEFT, label) && !matches(RTL, label) && matches(ENDS_LEFT, label)
}
