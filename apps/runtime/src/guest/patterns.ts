import { regExpExec, regExpTest, substring } from './primordials.ts'

/** What is done with regular expressions, whose own methods ask them for their flags, their `exec` and more. A pattern is a file's own: it is given to nobody. */

/** From the beginning; the pattern is neither global nor sticky. */
export const match: (pattern: RegExp, text: string) => RegExpExecArray | null = regExpExec
export const matches: (pattern: RegExp, text: string) => boolean = regExpTest

/** Where the pattern is found first, or -1. */
export function search(text: string, pattern: RegExp): number {
  const found = regExpExec(pattern, text)
  return found === null ? -1 : found.index
}

/** `text` with what `by` gives in place of each match of a global pattern, which never matches nothing. */
export function replaceMatches(text: string, pattern: RegExp, by: (found: string) => string): string {
  pattern.lastIndex = 0
  let replaced = ''
  let from = 0
  for (let found = regExpExec(pattern, text); found !== null; found = regExpExec(pattern, text)) {
    replaced += substring(text, from, found.index) + by(found[0]!)
    from = found.index + found[0]!.length
  }
  return from === 0 ? text : replaced + substring(text, from, text.length)
}

/** `text` without these UTF-16 units at its beginning and its end. */
export function trimUnits(text: string, isLeftOut: (unit: string) => boolean): string {
  let start = 0
  let end = text.length
  while (start < end && isLeftOut(text[start]!)) start++
  while (end > start && isLeftOut(text[end - 1]!)) end--
  return substring(text, start, end)
}
