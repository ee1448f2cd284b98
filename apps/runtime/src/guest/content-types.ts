import { replaceUnits } from './lists.ts'
import { bareObject, objectAssign, stringIndexOf, stringLastIndexOf, stringToLowerCase, substring } from './primordials.ts'
import { encodeUrlPart } from './url-text.ts'

const BYTES = 'application/octet-stream'

/** The usual ones, by what `response.type` is given: an ending of file names, or a word for it. */
const TYPES: Record<string, string> = objectAssign(bareObject<string>(), {
  html: 'text/html; charset=utf-8',
  htm: 'text/html; charset=utf-8',
  text: 'text/plain; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  css: 'text/css; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  xml: 'application/xml',
  form: 'application/x-www-form-urlencoded',
  pdf: 'application/pdf',
  zip: 'application/zip',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  ico: 'image/x-icon',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4'
})

/** What express' `response.type` makes of a name: what has a `/` is a type already, what is not known is bytes. */
export function contentTypeOf(name: string): string {
  if (stringIndexOf(name, '/') >= 0) return name
  return TYPES[stringToLowerCase(substring(name, stringLastIndexOf(name, '.') + 1, name.length))] ?? BYTES
}

/** The last part of a path. */
export function fileNameOf(path: string): string {
  return substring(path, stringLastIndexOf(path, '/') + 1, path.length)
}

/** Content-Disposition of a download (RFC 6266): beside a name that is not ASCII stands one that is. */
export function attachmentOf(fileName: string): string {
  const plain = replaceUnits(fileName, (unit) => (unit < 0x20 || unit > 0x7e ? '?' : null))
  const quoted = replaceUnits(plain, (unit) => (unit === 0x22 ? '\\"' : unit === 0x5c ? '\\\\' : null))
  return `attachment; filename="${quoted}"${plain === fileName ? '' : `; filename*=UTF-8''${encodeUrlPart(fileName)}`}`
}
