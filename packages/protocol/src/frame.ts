/**
 * One frame: a header of 24 bytes, then the payload. All numbers are little-endian.
 *
 *   0  u32  length        bytes of header and payload; the next frame starts at the next multiple of 4
 *   4  u8   type          what the frame says, see FrameType
 *   5  u8   flags         see Flag
 *   6  u16  gateway       index of the gateway that holds the connection
 *   8  u32  app           number of the app, given by the pool
 *  12  u32  generation    which life of the app's isolate is meant; frames of an older one are dropped
 *  16  u32  connection    number of the connection or request in its gateway
 *  20  u32  sequence      events: their number in the outbox of the app; calls: their id
 *  24       payload
 *
 * Frames are aligned to 4 bytes, so that the guest reads a header as six elements of a Uint32Array:
 * typed-array access is the one thing that tenant code cannot replace under it.
 */
export const PROTOCOL_VERSION = 1

export const HEADER_BYTES = 24
export const HEADER_WORDS = HEADER_BYTES / 4

/** The largest frame that any link accepts: a 16 MiB message or a publish of many functions, with room. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024

/**
 * Events go from a gateway to a worker, commands come back. Each group is a range, so
 * that a gateway can tell with one comparison what may come from a worker; worker and pool have one range for both directions.
 */
export const FrameType = {
  // gateway → worker: events
  /** A connection that the app knows of already: sent after its isolate was made anew. Payload as OPEN, with an AttachHead. */
  ATTACH: 1,
  /** `WebSocket:connection`. Payload: u32 head length, JSON ConnectionHead, then `socket.data` as the guest encoded it, if there is any. */
  OPEN: 2,
  /** `WebSocket:message`. Payload: the message; Flag.BINARY tells its kind. */
  MESSAGE: 3,
  /** `WebSocket:close`. Payload: u16 code, then the reason. */
  CLOSED: 4,
  /** `WebSocket:error`. Payload: JSON ErrorHead. */
  ERROR: 5,
  /** An HTTP request for a function. Payload: u32 head length, JSON RequestHead, then the body. */
  REQUEST: 6,
  /** The client of a request went away before its answer was complete. */
  REQUEST_GONE: 7,
  /** A client's ping or pong, for a connection that listens to them. Payload: its data. Not kept, and not acknowledged. */
  PING: 8,
  PONG: 9,
  /** Messages with Flag.TELL were written, or with Flag.FAILED were not. Payload: u32s, the sequences of their frames. Not kept. */
  SENT: 10,
  /** Bytes that wait at the gateway for the client to read them, when they begin to and when they have left. Payload: u32. Not kept. */
  BUFFERED: 11,
  /** `upgrade(ctx)`, before a client is accepted. Payload: JSON UpgradeHead. Kept and acknowledged as a REQUEST. */
  UPGRADE: 12,
  /** This gateway has said all that it knows: every connection of the app that it holds is attached. Once for each life of the isolate. */
  ATTACHED: 13,
  /** Much of what the app sends waits here for its delivery: it begins no turn until the same comes with Flag.END. Not kept. */
  BACKPRESSURE: 14,

  // worker → gateway: commands
  /** A message to one connection. Flag.BINARY tells its kind. */
  SEND: 32,
  /**
   * One message to many. Payload: u32 message length, the message padded to 4, then u32 connections to the end:
   * receivers come last, so that the guest adds one to the frame that it wrote last.
   */
  SEND_MANY: 33,
  /** Closing handshake. Payload: nothing, or u16 code and the reason. */
  CLOSE: 34,
  /** Ends the connection at once. */
  TERMINATE: 35,
  /** Answer to a request. Payload: u32 head length, JSON ResponseHead, then the first part of the body. Flag.END ends it. */
  RESPONSE: 36,
  /** A further part of the body. Flag.END ends it. */
  RESPONSE_PART: 37,
  /** Events whose handlers have settled: pairs of u32, first and last sequence. */
  ACK: 38,
  /**
   * A redelivered event begins to run, alone in its turn; with Flag.END that turn is over, whether or not the handler has settled.
   * It is what is needed to name the event that kills its worker.
   */
  STARTED: 39,
  /** A ping or pong to one connection. Payload: its data. */
  SEND_PING: 40,
  SEND_PONG: 41,
  /** The connection is not read until it is resumed. */
  PAUSE: 42,
  RESUME: 43,
  /** Which of the client's control frames the app wants to hear of: Listen, in the flags. */
  LISTEN: 44,
  /** `socket.data` has changed. Payload: the value, as the guest encodes it. */
  DATA: 45,
  /** The connection joins or leaves a room. Payload: its name. */
  JOIN: 46,
  LEAVE: 47,
  /**
   * One message to all in a room. Payload: u32 length of the name, the name padded to 4, u32 how many are left out, as many pairs
   * of u32 gateway and connection, then the message. Without a name (NO_ROOM as its length): to all of the app.
   */
  SEND_ROOM: 48,
  /** What `upgrade(ctx)` decided. Payload: u32 head length, JSON UpgradeResult, then the body of the refusal or the first `socket.data`. */
  UPGRADE_RESULT: 49,
  /** What the app wants binary messages to be: the index in BINARY_TYPES, in the flags. The guest makes them of that; the gateway keeps it for the next life. */
  BINARY_TYPE: 50,
  /** The isolate is gone, and this is the last frame of its life: whatever it has sent came before. */
  GONE: 51,

  // worker → pool
  /** Log entries. Payload: see log.ts. */
  LOG: 64,
  /** Changes of `cloud.shared`: records of packages/shared. The last frame of what belongs together has Flag.END, and a `sequence`. */
  SHARED: 65,
  /** An outgoing request; `connection` is its number, given by the isolate. Payload: u32 head length, JSON FetchHead, then the body. */
  FETCH: 68,
  /** So many bytes of the answer's body were taken, and as many more may be sent. Payload: u32. */
  FETCH_MORE: 69,
  /** Nobody waits for the answer any more; with Flag.END, for any of this life of the app. */
  FETCH_ABORT: 70,

  /** A turn of an app under watch begins, or with Flag.END is over: if the process dies in it, that app is what may have ended it. */
  TURN: 73,
  /** What has come on of its AppCounts. Payload: see counts.ts. */
  COUNTED: 75,
  /** The app has reached a limit. Payload: u32 how often, then the limit's key. */
  REACHED: 74,

  // pool → worker
  /** The changes with this `sequence` and all before are stored; with Flag.FAILED they could not be. */
  SHARED_DONE: 66,
  /** What is kept of an app: records, in several frames, the last one with Flag.END. They come after `hold`, so that the worker loads the app meanwhile, and before `trial`. */
  SHARED_STATE: 67,
  /** The answer to a FETCH begins. Payload: JSON FetchResultHead; with Flag.FAILED, FetchFailure, and there is no answer. Not kept. */
  FETCH_RESULT: 71,
  /** The next bytes of its body, already decompressed. Flag.END: the last ones. With Flag.FAILED: JSON FetchFailure in place of the rest. Not kept. */
  FETCH_PART: 72,

  // any control link
  /** Payload: JSON { method, params }. Answered by a REPLY with the same sequence. */
  CALL: 96,
  /** Payload: JSON { result } or { error: { code, message } }. */
  REPLY: 97,
  /** Payload: JSON { method, params }. Not answered. */
  NOTE: 98,
  /** Bytes by name. Payload: u32 name length, name, then the bytes. */
  BLOB: 99
} as const

export type FrameType = (typeof FrameType)[keyof typeof FrameType]

export const Flag = {
  /** The payload of a message is binary, not text. */
  BINARY: 1,
  /** Last part of an answer. */
  END: 2,
  /** The event is delivered again, because an isolate was lost while it had it. */
  REDELIVERED: 4,
  /**
   * Guest to host only: the message is not in the frame; a u32 in its place is its index among the values that
   * came with the turn. Long texts and large buffers cross faster that way.
   * Host to guest: the text of the message came decoded, as the next of the texts of the turn.
   * Worker to gateway: the message is that of an event which the gateway keeps, see kept-message.ts.
   */
  EXTERNAL: 8,
  /** On SEND, SEND_PING and SEND_PONG: the sender wants to hear by SENT when it was written; `sequence` tells which it was. */
  TELL: 16,
  /** On SENT: they were not written, because the connection is gone. On FETCH_RESULT and FETCH_PART: the request failed. */
  FAILED: 32
} as const

/** Bytes of an answer to FETCH that are on their way at most before FETCH_MORE lets more follow: nothing else bounds what waits for an app. */
export const FETCH_WINDOW_BYTES = 256 * 1024

/** Flags of LISTEN. */
export const Listen = { PING: 1, PONG: 2 } as const

/** `socket.binaryType`, as ws has it. The first is what it is until it is set. */
export const BINARY_TYPES = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'] as const
export type BinaryType = (typeof BINARY_TYPES)[number]

/** In place of the length of a room's name: all connections of the app. */
export const NO_ROOM = 0xffffffff
/** As the gateway, within a worker. Of a SEND_ROOM: to all gateways. Of a SEND_MANY: its receivers are pairs of u32 gateway and connection. */
export const ALL_GATEWAYS = 0xffff

export interface FrameHead {
  type: number
  flags: number
  gateway: number
  app: number
  generation: number
  connection: number
  sequence: number
}

/** The bytes from one frame's start to the next. */
export function paddedLength(length: number): number {
  return (length + 3) & ~3
}

export function readU16(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8)
}

export function readU32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)) >>> 0
}

export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value
  bytes[offset + 1] = value >>> 8
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value
  bytes[offset + 1] = value >>> 8
  bytes[offset + 2] = value >>> 16
  bytes[offset + 3] = value >>> 24
}

/** Writes the 24 bytes of a header; the caller has made the room. */
export function writeHeader(bytes: Uint8Array, offset: number, head: FrameHead, payloadLength: number): void {
  writeU32(bytes, offset, HEADER_BYTES + payloadLength)
  bytes[offset + 4] = head.type
  bytes[offset + 5] = head.flags
  writeU16(bytes, offset + 6, head.gateway)
  writeU32(bytes, offset + 8, head.app)
  writeU32(bytes, offset + 12, head.generation)
  writeU32(bytes, offset + 16, head.connection)
  writeU32(bytes, offset + 20, head.sequence)
}

/** The header of the frame that starts at `offset`. */
export function readHead(bytes: Uint8Array, offset: number): FrameHead {
  return {
    type: bytes[offset + 4]!,
    flags: bytes[offset + 5]!,
    gateway: readU16(bytes, offset + 6),
    app: readU32(bytes, offset + 8),
    generation: readU32(bytes, offset + 12),
    connection: readU32(bytes, offset + 16),
    sequence: readU32(bytes, offset + 20)
  }
}

/** One frame as bytes of its own, padded: for tests and for what is sent once. */
export function encodeFrame(head: FrameHead, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(paddedLength(HEADER_BYTES + payload.byteLength))
  writeHeader(bytes, 0, head, payload.byteLength)
  bytes.set(payload, HEADER_BYTES)
  return bytes
}
