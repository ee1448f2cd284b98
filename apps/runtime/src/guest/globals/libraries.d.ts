/** Libraries without types of their own, or whose names with a slash at the end (which keeps bundlers from Node's built-in of that name) have none. */
declare module 'buffer/' {
  export const Buffer: unknown
}
declare module 'events/' {
  const EventEmitter: unknown
  export default EventEmitter
}
declare module 'string_decoder/' {
  export const StringDecoder: unknown
}
declare module 'path-browserify' {
  const path: Record<string, unknown>
  export default path
}
declare module 'unenv/node/querystring' {
  export function parse(text: string): Record<string, unknown>
  export function stringify(values: Record<string, unknown>): string
  const querystring: unknown
  export default querystring
}
declare module 'unenv/node/punycode' {
  const punycode: unknown
  export default punycode
}

declare module 'socklet:rare' {
  /** node/rare.ts as a function, which asks for what it shares with the guest. Made in snapshot/bundle.ts. */
  export default function rareModules(require: (path: string) => unknown): typeof import('./node/rare.ts')
}
