import type { UpgradeResult } from '@socklet/protocol'
import { isFieldValue, isToken } from './field-lines.ts'
import { addOwn } from './globals/define.ts'
import {
  NativeArrayBuffer,
  NativeTypeError,
  arrayBufferIsView,
  arrayIsArray,
  isInteger,
  jsonStringify,
  objectKeys,
  stringToLowerCase,
  toText
} from './primordials.ts'
import { EMPTY, encodeText, toBytes } from './socket-bytes.ts'
import { MAX_DATA_BYTES } from './socket-data.ts'
import { encodeValue } from './values/encode.ts'

export interface UpgradeAnswer {
  head: UpgradeResult
  body: Uint8Array
}

const JSON_TYPE = 'application/json; charset=utf-8'
const TEXT_TYPE = 'text/plain; charset=utf-8'

export const ACCEPTED: UpgradeAnswer = { head: { accept: true }, body: EMPTY }
/** The app could not decide. Why is not the client's business. */
export const FAILED: UpgradeAnswer = refusal(500, 'internal', 'the app could not decide')
const FORBIDDEN: UpgradeAnswer = refusal(403, 'forbidden', 'the app refused the connection')

/**
 * What it means that `upgrade(ctx)` returned this. What means nothing is an error, since a mistake must not let clients in.
 * @throws TypeError, and what encoding `data` throws
 */
export function answerOf(result: unknown): UpgradeAnswer {
  if (result === undefined || result === null || result === true) return ACCEPTED
  if (result === false) return FORBIDDEN
  if (typeof result !== 'object' || arrayIsArray(result)) throw new NativeTypeError(`upgrade returned neither nothing, nor true or false, nor an object: ${typeof result}`)
  if ('status' in result) return refusalOf(result as { status: unknown; headers?: unknown; body?: unknown })
  if (!('protocol' in result) && !('data' in result)) throw new NativeTypeError('upgrade returned an object that has neither status nor protocol nor data')
  return acceptanceOf(result as { protocol?: unknown; data?: unknown })
}

function acceptanceOf({ protocol, data }: { protocol?: unknown; data?: unknown }): UpgradeAnswer {
  const head: UpgradeResult = { accept: true }
  // Whether the client offers it is looked at where the client is, in the gateway.
  if (typeof protocol === 'string' && protocol !== '') head.protocol = protocol
  else if (protocol !== undefined && protocol !== null && protocol !== '') throw new NativeTypeError('upgrade returned a protocol that is no string')
  if (data === undefined) return { head, body: EMPTY }
  head.hasData = true
  return { head, body: encodeValue(data, MAX_DATA_BYTES) }
}

function refusalOf({ status, headers, body }: { status: unknown; headers?: unknown; body?: unknown }): UpgradeAnswer {
  // Below, it would not refuse: 101 and 2xx accept what a proxy in front may act upon. By 3xx a client is sent elsewhere (RFC 6455, 4.2.2).
  if (!isInteger(status) || (status as number) < 300 || (status as number) > 599) throw new NativeTypeError(`upgrade returned a status that is no number from 300 to 599: ${toText(status)}`)
  const lines: Lines = { pairs: [], count: 0, hasType: false }
  if (typeof headers === 'object' && headers !== null) addHeaders(lines, headers as Record<string, unknown>)
  const content = contentOf(body)
  if (content.type !== '' && !lines.hasType) addHeader(lines, 'content-type', content.type)
  return { head: { accept: false, status: status as number, headers: lines.pairs }, body: content.bytes }
}

interface Lines {
  pairs: [name: string, value: string][]
  count: number
  hasType: boolean
}

function addHeaders(lines: Lines, headers: Record<string, unknown>): void {
  const names = objectKeys(headers)
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!
    const value = headers[name]
    if (!arrayIsArray(value)) addHeader(lines, name, toText(value))
    else for (let j = 0; j < value.length; j++) addHeader(lines, name, toText(value[j]))
  }
}

/** RFC 9110, 5.1 and 5.5: what Node's HTTP client could not read would look to users as if the platform were broken. */
function addHeader(lines: Lines, name: string, value: string): void {
  if (!isToken(name)) throw new NativeTypeError(`upgrade returned a header whose name is none: ${name}`)
  if (!isFieldValue(value)) throw new NativeTypeError(`upgrade returned characters in the header ${name} that it cannot have`)
  const lower = stringToLowerCase(name)
  lines.hasType ||= lower === 'content-type'
  addOwn(lines.pairs, lines.count++, [lower, value])
}

function contentOf(body: unknown): { bytes: Uint8Array; type: string } {
  if (body === undefined || body === null) return { bytes: EMPTY, type: '' }
  if (typeof body === 'string') return { bytes: encodeText(body), type: TEXT_TYPE }
  if (arrayBufferIsView(body) || body instanceof NativeArrayBuffer) return { bytes: toBytes(body), type: '' }
  return { bytes: encodeText(jsonStringify(body) ?? ''), type: JSON_TYPE }
}

function refusal(status: number, code: string, message: string): UpgradeAnswer {
  return { head: { accept: false, status, headers: [['content-type', JSON_TYPE]] }, body: encodeText(jsonStringify({ error: { code, message } })) }
}
