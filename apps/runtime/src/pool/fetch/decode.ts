import { pipeline, type Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress, constants } from 'node:zlib'
import { FetchError } from './errors.ts'

/** As undici: more encodings on top of each other than this are an attack. */
const MAX_ENCODINGS = 5

const LENIENT = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH }
const LENIENT_BROTLI = { flush: constants.BROTLI_OPERATION_FLUSH, finishFlush: constants.BROTLI_OPERATION_FLUSH }

/** What each decoding gives is not held here but read bit by bit by whoever counts it, so a bomb never unfolds. */
const DECODERS: Record<string, () => Transform> = {
  'gzip': () => createGunzip(LENIENT),
  'x-gzip': () => createGunzip(LENIENT),
  'deflate': () => createInflate(LENIENT),
  'br': () => createBrotliDecompress(LENIENT_BROTLI),
  'zstd': () => createZstdDecompress()
}

export const ACCEPT_ENCODING = 'gzip, deflate, br, zstd'

/** The body without its content encodings; as it is, if one of them is unknown. @throws FetchError */
export function decoded(body: Readable, contentEncoding: string | undefined): Readable {
  const encodings = (contentEncoding ?? '').split(',').map((name) => name.trim().toLowerCase()).filter((name) => name !== '' && name !== 'identity')
  if (encodings.length > MAX_ENCODINGS) throw new FetchError('ERR_SOCKLET_FETCH_ENCODING', `more than ${MAX_ENCODINGS} content encodings`)
  if (!encodings.every((name) => Object.hasOwn(DECODERS, name))) return body
  // The one that was applied last stands last (RFC 9110, section 8.4). Errors come out at the end of the chain.
  return encodings.toReversed().reduce<Readable>((input, name) => pipeline(input, DECODERS[name]!(), () => {}), body)
}
