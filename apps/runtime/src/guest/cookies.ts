import { addOwn } from './globals/define.ts'
import { split } from './lists.ts'
import { decodeComponent, jsonParse, objectHasOwn, stringIncludes, stringIndexOf, stringStartsWith, stringTrim, substring } from './primordials.ts'

/** The Cookie header as laf's parser reads it: the first of a name counts, `j:` is JSON, and what cannot be read stands as it is. */
export function parseCookies(header: string): Record<string, unknown> {
  const cookies: Record<string, unknown> = {}
  const pairs = split(header, ';')
  for (let i = 0; i < pairs.length; i++) {
    const equals = stringIndexOf(pairs[i]!, '=')
    if (equals < 0) continue
    const name = stringTrim(substring(pairs[i]!, 0, equals))
    if (!objectHasOwn(cookies, name)) addOwn(cookies, name, valueOf(stringTrim(substring(pairs[i]!, equals + 1, pairs[i]!.length))))
  }
  return cookies
}

function valueOf(text: string): unknown {
  const isQuoted = text.length > 1 && text[0] === '"' && text[text.length - 1] === '"'
  const decoded = decode(isQuoted ? substring(text, 1, text.length - 1) : text)
  return stringStartsWith(decoded, 'j:') ? fromJson(decoded) : decoded
}

function decode(text: string): string {
  if (!stringIncludes(text, '%')) return text
  try {
    return decodeComponent(text)
  } catch {
    return text
  }
}

function fromJson(text: string): unknown {
  try {
    return jsonParse(substring(text, 2, text.length))
  } catch {
    return text
  }
}
