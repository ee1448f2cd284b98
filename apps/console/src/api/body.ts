import type { Request } from 'express'
import type { LimitName } from '@socklet/config'
import { UserFault } from '../errors.ts'

const JSON_TYPES = new Set(['application/json'])
const SOURCE_TYPES = new Set(['text/typescript', 'application/typescript', 'text/javascript', 'application/javascript', 'text/plain'])
export const SOURCE_TYPE_NAMES: readonly string[] = [...SOURCE_TYPES]

const MAX_DEPTH = 64

export interface BodyOptions {
  maxBytes: number
  /** The app's limit that this comes from, for the message. */
  limit?: LimitName
  /** A body of which nothing comes for so long is given up. */
  silenceMs: number
  /** The body may be a source as it is. */
  source: boolean
  /** Hears of what has come before it is kept; what it throws ends the reading. */
  arrived: (bytes: number) => void
}

/**
 * The body as a value: parsed JSON, or `{ code }` when it is a source and may be one.
 * @throws UserFault `unsupported_type`, `too_large`, `body_timeout`, `invalid_request` if it ends early, `invalid_json`, `invalid_source`
 */
export async function readBody(req: Request, options: BodyOptions): Promise<unknown> {
  const type = contentType(req, options.source)
  const text = decode(await readBytes(req, options), type)
  return type === 'source' ? { code: text } : parseJson(text)
}

function contentType(req: Request, source: boolean): 'json' | 'source' {
  const header = req.headers['content-type']
  if (header === undefined || header === '') return source ? 'source' : 'json'
  const [type, ...parameters] = header.toLowerCase().split(';').map((part) => part.trim())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length).replaceAll('"', '')
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset)) throw new UserFault('unsupported_type', `the charset ${charset} is not taken, only utf-8`)
  if (JSON_TYPES.has(type!)) return 'json'
  if (source && SOURCE_TYPES.has(type!)) return 'source'
  const taken = source ? ['application/json', ...SOURCE_TYPES] : ['application/json']
  throw new UserFault('unsupported_type', `the content type ${type} is not taken here, only ${taken.join(', ')}`)
}

async function readBytes(req: Request, { maxBytes, limit, silenceMs, arrived }: BodyOptions): Promise<Buffer> {
  const encoding = req.headers['content-encoding'] ?? 'identity'
  // Not inflated: a few bytes could become more than there is memory for.
  if (encoding.toLowerCase() !== 'identity') throw new UserFault('unsupported_type', 'a compressed body is not taken here')
  const checkSize = (size: number): void => {
    if (size > maxBytes) throw new UserFault('too_large', `the body is larger than ${maxBytes} bytes${limit === undefined ? '' : `, which is what the limit ${limit} leaves room for`}`)
  }
  checkSize(Number(req.headers['content-length'] ?? 0))
  const chunks: Buffer[] = []
  let bytes = 0
  await eachChunk(req, silenceMs, (chunk) => {
    bytes += chunk.byteLength
    checkSize(bytes)
    arrived(chunk.byteLength)
    chunks.push(chunk)
  })
  return Buffer.concat(chunks)
}

/** Settles when the body has ended. Rejects with what `onChunk` throws, when nothing has come for so long, and when the client goes. */
function eachChunk(req: Request, silenceMs: number, onChunk: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      clearTimeout(silence)
      req.off('data', onData)
      // What still comes is thrown away: the client reads the answer only when it could send all.
      req.resume()
      reject(error as Error)
    }
    const onData = (chunk: Buffer): void => {
      silence.refresh()
      try {
        onChunk(chunk)
      } catch (error) {
        fail(error)
      }
    }
    const endedEarly = (): void => fail(new UserFault('invalid_request', 'the body ended early'))
    const silence = setTimeout(() => fail(new UserFault('body_timeout', `nothing of the body has come for ${silenceMs / 1_000} s`)), silenceMs)
    if (req.destroyed) return endedEarly()
    req.on('data', onData)
    req.once('end', () => {
      clearTimeout(silence)
      resolve()
    })
    req.once('error', endedEarly)
    req.once('close', endedEarly)
  })
}

function decode(bytes: Buffer, type: 'json' | 'source'): string {
  try {
    // `fatal` refuses what is not UTF-8 where Buffer would put U+FFFD; a byte order mark is taken off.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UserFault(type === 'source' ? 'invalid_source' : 'invalid_json', 'the body is not valid UTF-8')
  }
}

function parseJson(text: string): unknown {
  if (text === '') throw new UserFault('invalid_json', 'the body is empty, where JSON is expected')
  if (nestsDeeper(text, MAX_DEPTH)) throw new UserFault('invalid_json', `the body nests deeper than ${MAX_DEPTH} levels`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UserFault('invalid_json', `the body is not JSON: ${(error as Error).message.slice(0, 200)}`)
  }
}

/** Looks at the text and not at what was parsed of it: deep nesting is the parser's trouble, too. */
function nestsDeeper(text: string, max: number): boolean {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    const char = text[index]
    if (char === '"') index = endOfString(text, index)
    else if (char === '[' || char === '{') depth += 1
    else if (char === ']' || char === '}') depth -= 1
    if (depth > max) return true
  }
  return false
}

/** Where the string ends that begins here; a string without an end is for the parser to refuse. */
function endOfString(text: string, start: number): number {
  let index = start + 1
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1
  return index
}
