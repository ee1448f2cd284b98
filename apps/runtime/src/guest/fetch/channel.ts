/** Outgoing requests as frames. This file is core, as what is in front of the boundary is; what functions see of them is web.ts, which is not. */
import type { FetchFailure, FetchResultHead } from '@socklet/protocol'
import { Flag, FrameType, writeU32 } from '@socklet/protocol/frame'
import { TurnWord } from '../../turn-layout.ts'
import { current, setCurrent, type Running } from '../current.ts'
import { reached } from '../limits.ts'
import { readText, type EventFrame, type Mailbox } from '../mailbox.ts'
import { beginFrame, changeWord, command, commandWithHead, finishFrame } from '../outbox.ts'
import { NativeMap, NativeRangeError, NativeUint8Array, arrayBufferSlice, jsonParse, mapDelete, mapGet, mapSet, mapSize } from '../primordials.ts'

/** So many bytes are given back at once: each time is a frame. The pool's window is four times as large. */
const GIVE_BACK_FROM = 64 * 1024

/** Who waits for an answer. Each is called in a turn; nothing is called after `onEnd` or `onFailure`. */
export interface Waiting {
  onHead(head: FetchResultHead): void
  onPart(bytes: Uint8Array): void
  onEnd(): void
  onFailure(failure: FetchFailure): void
}

interface Entry {
  waiting: Waiting
  /** Who asked: what goes on with the answer is counted to it. */
  running: Running
  taken: number
}

let limit = 64
let lastId = 0
const entries = new NativeMap<number, Entry>()

export function setFetchLimit(count: number): void {
  limit = count
}

/** Asks for it, and returns its number. @throws RangeError if too many are under way. The pool looks as well, which knows of no two isolates at a time. */
export function startFetch(head: string, body: Uint8Array, waiting: Waiting): number {
  if (mapSize(entries) >= limit) throw tooMany()
  lastId = (lastId + 1) >>> 0
  commandWithHead(FrameType.FETCH, 0, 0, lastId, head, body)
  mapSet(entries, lastId, { waiting, running: current(), taken: 0 })
  // Held, so that an app does not go to sleep while it waits.
  changeWord(TurnWord.HELD, 1)
  return lastId
}

/** Nobody waits for it any more. */
export function endFetch(id: number): void {
  if (forget(id)) command(FrameType.FETCH_ABORT, 0, 0, id, '')
}

/** So much of the answer was read, and there is room for more. */
export function giveBack(id: number, bytes: number): void {
  const entry = mapGet(entries, id)
  if (entry === undefined) return
  entry.taken += bytes
  if (entry.taken < GIVE_BACK_FROM) return
  const { bytes: frame, offset } = beginFrame(4)
  writeU32(frame, offset, entry.taken)
  finishFrame(FrameType.FETCH_MORE, 0, 0, id, offset + 4)
  entry.taken = 0
}

/** FETCH_RESULT or FETCH_PART. */
export function receiveFetch(mailbox: Mailbox, frame: EventFrame): void {
  const id = frame.connection
  const entry = mapGet(entries, id)
  if (entry === undefined) return
  const { waiting, running } = entry
  if ((frame.flags & Flag.END) !== 0) forget(id)
  setCurrent(running)
  if ((frame.flags & Flag.FAILED) !== 0) waiting.onFailure(jsonParse(readText(mailbox, frame.start, frame.end)) as FetchFailure)
  else if (frame.type === FrameType.FETCH_RESULT) waiting.onHead(jsonParse(readText(mailbox, frame.start, frame.end)) as FetchResultHead)
  else {
    if (frame.end > frame.start) waiting.onPart(new NativeUint8Array(arrayBufferSlice(mailbox.buffer, frame.start, frame.end)))
    if ((frame.flags & Flag.END) !== 0) waiting.onEnd()
  }
}

function forget(id: number): boolean {
  if (!mapDelete(entries, id)) return false
  changeWord(TurnWord.HELD, -1)
  return true
}

function tooMany(): Error {
  const message = `this app has ${limit} requests under way, which is its limit`
  reached('fetches', `a request was refused: ${limit} are under way`)
  const error = new NativeRangeError(message) as Error & { code: string }
  error.code = 'ERR_SOCKLET_FETCH_LIMIT'
  return error
}
