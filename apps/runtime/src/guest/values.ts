/** Values as bytes: what is kept of `socket.data` and of shared values outside the isolate. The layout is in packages/shared/src/value-tags.ts. */
export { encodeValue, type EncodeOptions } from './values/encode.ts'
export { isTooLarge } from './values/writer.ts'
export { decodeValue, emptyOf, type DecodeOptions } from './values/decode.ts'
