import { BadRequest } from './bad-request.ts'
import { bareObject, stringIndexOf, stringLastIndexOf, stringToLowerCase, stringTrim, substring } from './primordials.ts'

/** A header field as `Content-Type` and `Content-Disposition` are. */
export interface FieldWithParameters {
  /** What stands in front of the parameters, in lower case. */
  readonly value: string
  /** By name in lower case; the first of each. */
  readonly parameters: Record<string, string>
}

/**
 * Takes the field apart (RFC 9110, 5.6.6). Of the escapes in quotes only those of a quote and of a backslash are ones: clients write the
 * backslashes of file names as they are.
 * @throws BadRequest if a quote does not end
 */
export function readParameters(text: string): FieldWithParameters {
  const parameters = bareObject<string>()
  let at = endOf(text, ';', 0)
  const value = stringToLowerCase(stringTrim(substring(text, 0, at)))
  for (let equals = stringIndexOf(text, '=', at); equals >= 0; equals = stringIndexOf(text, '=', at)) {
    const name = stringToLowerCase(stringTrim(substring(text, stringLastIndexOf(text, ';', equals) + 1, equals)))
    const first = afterSpaces(text, equals + 1)
    if (text[first] === '"') {
      const quoted = readQuoted(text, first + 1)
      parameters[name] ??= quoted.text
      at = endOf(text, ';', quoted.end)
    } else {
      at = endOf(text, ';', first)
      parameters[name] ??= stringTrim(substring(text, first, at))
    }
  }
  return { value, parameters }
}

function readQuoted(text: string, start: number): { text: string; end: number } {
  let read = ''
  let from = start
  for (let i = start; i < text.length; i++) {
    if (text[i] === '"') return { text: read + substring(text, from, i), end: i + 1 }
    if (text[i] !== '\\' || (text[i + 1] !== '"' && text[i + 1] !== '\\')) continue
    read += substring(text, from, i)
    from = ++i
  }
  throw new BadRequest('a quote in a header field does not end')
}

function endOf(text: string, what: string, from: number): number {
  const found = stringIndexOf(text, what, from)
  return found < 0 ? text.length : found
}

function afterSpaces(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t') at++
  return at
}
