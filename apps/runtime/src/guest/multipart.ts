/**
 * Bodies of `multipart/form-data` (RFC 7578; their syntax is that of RFC 2046, 5.1). What functions get of them is what multer gives in laf, which keeps files on a
 * disk: there is none here, so a file has its `buffer`, as with multer's memory storage.
 */
import { BadRequest } from './bad-request.ts'
import { readParameters } from './field-parameters.ts'
import { addField } from './form.ts'
import { bufferOn } from './globals/buffer.ts'
import { encodeText } from './globals/text-encoding.ts'
import { decodeUtf8 } from './globals/utf8.ts'
import { ordinary, push, replaceAll, split } from './lists.ts'
import { matches } from './patterns.ts'
import { bareArray, bareObject, decodeComponent, mathMax, mathMin, stringIncludes, stringIndexOf, stringLastIndexOf, stringStartsWith, stringToLowerCase, stringTrim, substring, typedArrayBuffer, typedArrayByteLength, typedArrayByteOffset } from './primordials.ts'

const MAX_PARTS = 1_000
const MAX_HEAD_BYTES = 8 * 1024
const CR = 0x0d
const LF = 0x0a
const DASH = 0x2d
/** Of a form, whose names make objects of their brackets. */
const MAX_NAME_UNITS = 1_000
/** RFC 2046, 5.1.1, allows fewer characters, but some clients have boundaries of stars. */
const BOUNDARY = /^[\x20-\x7e]{1,70}$/

export interface UploadedFile {
  fieldname: string
  originalname: string
  encoding: string
  mimetype: string
  size: number
  buffer: Uint8Array
}

export interface Multipart {
  /** The texts; names nest as in a form. */
  fields: Record<string, unknown>
  files: UploadedFile[]
}

interface Part {
  name: string
  /** null: it is no file. '': one that was not chosen. */
  fileName: string | null
  type: string
  encoding: string
}

/**
 * Reads a whole body in one pass over its bytes. Files are views on them.
 * @throws BadRequest that says what is wrong, and in which part
 */
export function readMultipart(contentType: string, bytes: Uint8Array): Multipart {
  const delimiter = delimiterOf(contentType)
  const fields: Record<string, unknown> = {}
  const files = bareArray<UploadedFile>()
  let at = firstPart(bytes, delimiter)
  for (let number = 1; at !== null; number++) {
    if (number > MAX_PARTS) throw new BadRequest(`the body has more than ${MAX_PARTS} parts`)
    const headEnd = endOfHead(bytes, at, number)
    const start = headEnd + 4
    // The line break in front of a boundary belongs to it, and may be the one that ends the head.
    const end = find(bytes, delimiter, start - 2)
    if (end < 0) throw new BadRequest(`part ${number} of the body does not end: there is no boundary behind it`)
    take(readHead(decodeUtf8(bytes, at, mathMax(at, headEnd)), number), bytes, start, mathMax(start, end), fields, files)
    at = afterBoundary(bytes, end + typedArrayByteLength(delimiter))
  }
  return { fields, files: ordinary(files) }
}

/** As multer: a file that was not chosen, which has no name, is left out. */
function take({ name, fileName, type, encoding }: Part, bytes: Uint8Array, start: number, end: number, fields: Record<string, unknown>, files: UploadedFile[]): void {
  if (fileName === null) addField(fields, name, decodeUtf8(bytes, start, end))
  else if (fileName !== '') {
    const buffer = bufferOn(typedArrayBuffer(bytes), typedArrayByteOffset(bytes) + start, end - start)
    push(files, { fieldname: name, originalname: fileName, encoding, mimetype: type, size: end - start, buffer })
  }
}

/** What stands between parts: a line break and the boundary. */
function delimiterOf(contentType: string): Uint8Array {
  const boundary = readParameters(contentType).parameters['boundary'] ?? ''
  if (!matches(BOUNDARY, boundary)) throw new BadRequest('the content type multipart/form-data has no boundary, or one that can be none')
  return encodeText(`\r\n--${boundary}`)
}

/** Where the first part begins; null if there is none. In front of the first boundary a line break may be missing. */
function firstPart(bytes: Uint8Array, delimiter: Uint8Array): number | null {
  const length = typedArrayByteLength(delimiter)
  if (isAt(bytes, -2, delimiter, 2)) return afterBoundary(bytes, length - 2)
  const found = find(bytes, delimiter, 0)
  if (found < 0) throw new BadRequest('the body is not multipart/form-data: its boundary is not there')
  return afterBoundary(bytes, found + length)
}

/** Where the part behind a boundary begins; null behind the last one. */
function afterBoundary(bytes: Uint8Array, from: number): number | null {
  if (bytes[from] === DASH && bytes[from + 1] === DASH) return null
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++
  if (bytes[at] !== CR || bytes[at + 1] !== LF) throw new BadRequest('the body is not multipart/form-data: a line goes on behind its boundary')
  return at + 2
}

/** Where the delimiter is first, or -1. A comparison begins where there is a CR, and within a delimiter is no other: so no byte is looked at more than twice. */
function find(bytes: Uint8Array, delimiter: Uint8Array, from: number): number {
  const last = typedArrayByteLength(bytes) - typedArrayByteLength(delimiter)
  for (let i = from; i <= last; i++) if (bytes[i] === CR && bytes[i + 1] === LF && bytes[i + 2] === DASH && isAt(bytes, i, delimiter, 3)) return i
  return -1
}

/** Whether the delimiter that begins there is one from its byte `from` on. */
function isAt(bytes: Uint8Array, at: number, delimiter: Uint8Array, from: number): boolean {
  const length = typedArrayByteLength(delimiter)
  for (let i = from; i < length; i++) if (bytes[at + i] !== delimiter[i]) return false
  return true
}

/** Where the empty line behind the head of a part begins. For a part without a head that is in front of it. */
function endOfHead(bytes: Uint8Array, start: number, number: number): number {
  const end = typedArrayByteLength(bytes)
  const last = mathMin(end - 4, start + MAX_HEAD_BYTES)
  for (let i = start - 2; i <= last; i++) if (bytes[i] === CR && bytes[i + 1] === LF && bytes[i + 2] === CR && bytes[i + 3] === LF) return i
  throw new BadRequest(end - start > MAX_HEAD_BYTES ? `the head of part ${number} of the body is above ${MAX_HEAD_BYTES} bytes` : `the head of part ${number} of the body does not end`)
}

function readHead(text: string, number: number): Part {
  const headers = bareObject<string>()
  const lines = split(text, '\r\n')
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!
    const colon = stringIndexOf(line, ':')
    // A boundary among them, for instance.
    if (colon <= 0 && line !== '') throw new BadRequest(`the head of part ${number} of the body has a line that is no header field`)
    headers[stringToLowerCase(substring(line, 0, colon))] ??= stringTrim(substring(line, colon + 1, line.length))
  }
  const { value, parameters } = readParameters(headers['content-disposition'] ?? '')
  const name = unescaped(parameters['name'] ?? '')
  if (value !== 'form-data' || name === '') throw new BadRequest(`part ${number} of the body has no Content-Disposition: form-data with a name`)
  if (name.length > MAX_NAME_UNITS) throw new BadRequest(`the name of part ${number} of the body is above ${MAX_NAME_UNITS} characters`)
  const type = readParameters(headers['content-type'] ?? '').value || 'text/plain'
  const fileName = extended(parameters['filename*']) ?? unescaped(parameters['filename'] ?? '')
  return {
    name,
    // Browsers send a file that was not chosen with this type.
    fileName: fileName === '' && type !== 'application/octet-stream' ? null : lastOf(fileName),
    type,
    encoding: stringToLowerCase(headers['content-transfer-encoding'] ?? '7bit')
  }
}

/** What browsers escape in names (HTML Standard, "multipart/form-data encoding algorithm"), and nothing else: `50%.pdf` is called that. */
function unescaped(name: string): string {
  return stringIncludes(name, '%') ? replaceAll(replaceAll(replaceAll(name, '%0A', '\n'), '%0D', '\r'), '%22', '"') : name
}

const UTF8_NAME = "utf-8''"

/** RFC 8187. RFC 7578 forbids it here, and some clients write it all the same, beside one that is no name. */
function extended(name: string | undefined): string | undefined {
  if (name === undefined || !stringStartsWith(stringToLowerCase(name), UTF8_NAME)) return undefined
  try {
    return decodeComponent(substring(name, UTF8_NAME.length, name.length))
  } catch {
    return undefined
  }
}

/** Of a path, for old clients and hostile ones (RFC 7578, 4.2); '' if that names a folder. */
function lastOf(path: string): string {
  const name = substring(path, mathMax(stringLastIndexOf(path, '/'), stringLastIndexOf(path, '\\')) + 1, path.length)
  return name === '.' || name === '..' ? '' : name
}
