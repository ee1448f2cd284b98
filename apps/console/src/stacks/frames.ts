/** A place in the compiled code of a function, as a stack names it. Line and column from 1. */
export interface Place {
  function: string
  line: number
  column: number
}

/** `    at main (lib/rooms.js:12:5)`, or without the brackets where the caller has no name. What is before the name may be anything but a line's end. ` {` stands behind the last one if the error has properties. */
const FRAME = /^([ \t]*at (?:[^\n]*\()?)([\w./-]+)\.js:(\d{1,7}):(\d{1,7})(\)?(?: \{)?)$/gm
/** What our own code in the isolate is called there. It is none of the tenant's business. */
const GUEST = 'socklet:guest'
const GUEST_FRAME = /\n[ \t]*at [^\n]*\bsocklet:guest:\d+:\d+\)?(?=\n| \{\n|$)/g

/** Of most texts this is all that is looked at. */
export function mayHaveStack(text: string): boolean {
  return text.includes('.js:') || text.includes(GUEST)
}

export function withoutGuest(text: string): string {
  return text.includes(GUEST) ? text.replaceAll(GUEST_FRAME, '') : text
}

/** The places that stacks in this text name. */
export function placesIn(text: string): Place[] {
  if (!text.includes('.js:')) return []
  return [...text.matchAll(FRAME)].map(([, , name, line, column]) => ({ function: name!, line: Number(line), column: Number(column) }))
}

/** The text with other places in its stacks; one that stays undefined stays as it is. What is put there are places in sources, which are TypeScript. */
export function replacePlaces(text: string, place: (compiled: Place) => Omit<Place, 'function'> | undefined): string {
  if (!text.includes('.js:')) return text
  return text.replaceAll(FRAME, (frame, before: string, name: string, line: string, column: string, after: string) => {
    const found = place({ function: name, line: Number(line), column: Number(column) })
    return found === undefined ? frame : `${before}${name}.ts:${found.line}:${found.column}${after}`
  })
}
