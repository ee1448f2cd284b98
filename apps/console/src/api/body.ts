import express, { type Request, type Response } from 'express'
import { UserFault } from '../errors.ts'

const JSON_TYPES = new Set(['application/json'])
const SOURCE_TYPES = new Set(['text/typescript', 'application/typescript', 'text/javascript', 'application/javascript', 'text/plain'])
export const SOURCE_TYPE_NAMES: readonly string[] = [...SOURCE_TYPES]

const MAX_DEPTH = 64
/** Bytes of all bodies that are being read or worked on, so that many large ones at a time cannot fill the memory. */
const BUDGET_BYTES = 256 * 1024 * 1024

let reserved = 0

/** Runs the work with room for a body of so many bytes. @throws UserFault `busy` */
export async function withRoom<T>(req: Request, maxBytes: number, work: () => Promise<T>): Promise<T> {
  const announced = Number(req.headers['content-length'] ?? Number.NaN)
  const bytes = announced >= 0 ? Math.min(announced, maxBytes) : maxBytes
  if (reserved > 0 && reserved + bytes > BUDGET_BYTES) throw new UserFault('busy', 'too many large bodies are being sent at the moment')
  reserved += bytes
  try {
    return await work()
  } finally {
    reserved -= bytes
  }
}

/** The body as a value: parsed JSON, or `{ code }` when it is a source and may be one. */
export async function readBody(req: Request, res: Response, options: { maxBytes: number; source: boolean }): Promise<unknown> {
  const type = contentType(req, options.source)
  const text = decode(await readBytes(req, res, options.maxBytes), type)
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

async function readBytes(req: Request, res: Response, limit: number): Promise<Buffer> {
  // Not inflated: a few bytes could become more than there is memory for.
  const read = express.raw({ type: () => true, limit, inflate: false })
  await new Promise<void>((resolve, reject) => read(req, res, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error))))
  return Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0)
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
