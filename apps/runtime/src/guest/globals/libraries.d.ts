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

/** Made by snapshot/chunks.ts. Functions, so that an isolate that asks for no chunk has nothing of it. */
declare module 'socklet:chunks' {
  /** Of each chunk, by number: where its text ends. */
  export const ends: () => number[]
  /** What chunks use of the modules in the snapshot. Chunks know the numbers. */
  export const exportsOfSnapshot: () => (() => unknown[])[]
}
