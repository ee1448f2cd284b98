/**
 * What crosses the boundary of the isolate with a turn. Guest and host both read this file.
 *
 * In: `entry(acknowledged, bytes, length, latin1, texts)`
 *   acknowledged  number of the last result that the host has received
 *   bytes         ArrayBuffer with event frames (packages/protocol), the first `length` bytes of it; undefined if they are few,
 *                 SMALL_TURN_BYTES at most: the guest makes them of `latin1` then
 *   latin1        the same bytes as a string of their values, if they are few or there is text among them: the text of an
 *                 ASCII message is a piece of it, which costs nothing, where decoding in the isolate would. A long one is in a list,
 *                 see OUTSIDE_FROM in isolate.ts
 *   texts         the texts that are not ASCII and long, decoded by the host, in the order of their frames
 *
 * Out: a live ArrayBuffer, or a live array `[ArrayBuffer, …external values]`. It is copied after the microtasks of the turn have
 * run, so they write into it as well. The buffer starts with the words below, then come command frames. A buffer alone crosses
 * faster than an array. If it turns out not to be all, its word MORE says so, and the host asks for the array.
 */
import type { Limits } from '@socklet/config'
export const TurnWord = {
  /** Bytes of the buffer that are in use, these words included. */
  USED: 0,
  /** Milliseconds until the guest wants a turn without events, or NEVER. */
  WAKE_IN: 1,
  /** Handlers that have not settled. */
  PENDING: 2,
  /** Timers that are set. */
  TIMERS: 3,
  /** Handlers that failed, since the isolate started. */
  ERRORS: 4,
  /** How many of the settled runs below are in use. */
  RUNS: 5,
  /** Log lines that were dropped, since the isolate started. */
  LOGS_DROPPED: 6,
  /** What the isolate holds that would be lost with it: sockets that are listened to, `send` callbacks that wait. */
  HELD: 7,
  /** Changes of `cloud.shared` are among the frames: the others wait until those are stored. */
  SHARED: 8,
  /** DATA frames among the frames. */
  DATA: 9,
  /** Events of this turn or one before were not begun: their time was up, and the next turn goes on with them. */
  LEFT: 10,
  /** After `rest`: sockets on which functions have put properties, which would be lost with the isolate. */
  EXTRAS: 11,
  /** How often each of GUEST_LIMITS was reached, since the isolate started: a word each. */
  LIMITS: 12,
  /** What has changed of `cloud.shared` could not be written: nothing of this turn or a later one may leave. */
  UNWRITTEN: 23,
  /** Number of this result. */
  NUMBER: 24,
  /** This buffer is not all that there is: `more` gives it. Says nothing in an array. */
  MORE: 25,
  /** Runs of settled events, three words each: gateway, first sequence, last sequence. Further ones are ACK frames. */
  FIRST_RUN: 26
} as const

/** Limits that the guest keeps to, as they are counted and named in logs. Those that no app can set are turnBytes, turnDeliveries, sharedChanges and socketData. */
export const GUEST_LIMITS = ['timers', 'sharedBytes', 'sharedKeys', 'socketData', 'fetches', 'handlerMs', 'turnBytes', 'turnDeliveries', 'sharedChanges', 'logLinesPerSecond', 'logLineBytes'] as const
export type GuestLimit = (typeof GUEST_LIMITS)[number]

export const MAX_RUNS = 8
export const RUN_WORDS = 3
export const TURN_HEADER_WORDS = TurnWord.FIRST_RUN + MAX_RUNS * RUN_WORDS
export const TURN_HEADER_BYTES = TURN_HEADER_WORDS * 4

export const NEVER = 0xffffffff

/** Texts and buffers from here on cross as values of their own, not inside the buffer of the turn. Bytes or UTF-16 units. */
export const EXTERNAL_FROM = 1024

/**
 * In place of the index of an external value, with an offset added: the message is the payload of the event frame that stands there in the
 * `latin1` of this turn. What is sent is often what has come, and need not leave the isolate for that.
 */
export const AS_IT_CAME = 0x80000000

/** Up to so many bytes of events a string alone is the cheapest way into an isolate, as measured: a buffer costs 10 µs, a string less, and the guest 1 µs for each KiB. */
export const SMALL_TURN_BYTES = 8192

/** What a turn may send: beyond it `send` throws. */
export const MAX_TURN_BYTES = 64 * 1024 * 1024
/** A message that crosses as a value of its own, with the room that it is for. What stands around it in its frame has to fit into MAX_FRAME_BYTES as well. */
export const MAX_MESSAGE_BYTES = 60 * 1024 * 1024
/** A message with so many bytes of receivers gets no more: the next one begins another frame. */
export const MAX_JOINED_BYTES = 2 * 1024 * 1024
export const MAX_TURN_EXTERNALS = 100_000
/** Entries of `cloud.shared` that may be new or changed in one turn: each is a write to the store, which has one thread for all apps. */
export const MAX_TURN_SHARED_CHANGES = 200_000
/** Clients that the messages of a turn to rooms and to all may have together: 500 messages to 10,000. */
export const MAX_TURN_DELIVERIES = 5_000_000

/** Functions and environment for the guest, at the start and whenever they change. JSON; the code of the functions goes beside it. */
export interface GuestRelease {
  appid: string
  functions: { name: string; version: number }[]
  /** Modules of the platform that this app uses and most do not. CommonJS. */
  modules: { name: string; code: string }[]
  env: Record<string, string>
  /** What its tokens are signed with. */
  secret: string
  limits: Limits
}

/** What the guest gives the host when it starts. Until `load` it does not know its app. */
export interface GuestEntries {
  /** A turn, see above. */
  turn: (acknowledged: number, bytes: ArrayBuffer | undefined, length: number, latin1: string | string[] | undefined, texts: string[] | undefined) => ArrayBuffer | unknown[]
  /** All of the result of the last turn. */
  more: () => unknown[]
  /** What the store has of `cloud.shared`, before the first turn. Returns '' or what could not be read. */
  restore: (records: ArrayBuffer) => string
  /** As a turn in which nothing happens, but all that has changed is in its result. Before that it removes the key of `cloud.shared` that has these bytes. */
  rest: (acknowledged: number, forget: ArrayBuffer | undefined) => unknown[]
  /** Loads a GuestRelease, with the code of its functions in their order (`functionCode`), and switches to it. Returns '' or the reason why it cannot. */
  load: (release: string, ...codes: string[]) => string
  /** Loads one function of the release, in an isolate that is there for nothing else. Returns '' or `{ message, stack }` as JSON. */
  trial: (name: string) => string
}
