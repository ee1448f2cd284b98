import type { AttachHead, ConnectionHead, RequestHead, UpgradeHead } from '@socklet/protocol'
import { binaryTypeIndex } from './connection.ts'
import { NativeError, arrayIsArray, jsonParse } from './primordials.ts'

/**
 * Heads of events, as a gateway writes them. What is not one is told before anything is done with it: it would throw, or go on for ever,
 * somewhere where nobody thinks of it. The event is over then, and the app's log says why.
 */
type Unknown = Record<string, unknown>

/** @throws Error */
export function malformed(what: string): never {
  throw new NativeError(`an event is malformed: ${what}`)
}

function objectOf(text: string): Unknown {
  const head: unknown = jsonParse(text)
  return typeof head === 'object' && head !== null && !arrayIsArray(head) ? (head as Unknown) : malformed('its head is no object')
}

function needTexts(head: object, ...names: string[]): void {
  for (let i = 0; i < names.length; i++) if (typeof (head as Unknown)[names[i]!] !== 'string') malformed(`${names[i]} is no text`)
}

function needHeaders({ headers }: { headers?: unknown }): void {
  if (typeof headers !== 'object' || headers === null) malformed('headers are no object')
}

function areTexts(list: unknown): boolean {
  if (!arrayIsArray(list)) return false
  for (let i = 0; i < list.length; i++) if (typeof list[i] !== 'string') return false
  return true
}

/** @throws Error */
export function readAttachHead(text: string): AttachHead {
  const head = objectOf(text)
  needTexts(head, 'id', 'protocol', 'extensions')
  if (head['binaryType'] !== undefined && binaryTypeIndex(head['binaryType']) < 0) malformed('binaryType is none')
  if (head['rooms'] !== undefined && !areTexts(head['rooms'])) malformed('rooms are no list of texts')
  return head as unknown as AttachHead
}

/** @throws Error */
export function readConnectionHead(text: string): ConnectionHead {
  const head = readAttachHead(text) as ConnectionHead
  needTexts(head, 'url')
  needHeaders(head)
  return head
}

/** @throws Error */
export function readRequestHead(text: string): RequestHead {
  const head = objectOf(text)
  needTexts(head, 'requestId', 'function', 'method', 'url', 'address')
  needHeaders(head)
  return head as unknown as RequestHead
}

/** @throws Error */
export function readUpgradeHead(text: string): UpgradeHead {
  const head = objectOf(text)
  needTexts(head, 'requestId', 'url', 'address')
  needHeaders(head)
  if (!areTexts(head['protocols'])) malformed('protocols are no list of texts')
  return head as unknown as UpgradeHead
}
