import { BINARY_TYPES, type BinaryType } from '@socklet/protocol/frame'
import type { Callbacks } from './write-callbacks.ts'

/** As the gateway is told it; -1 if it is none. */
export function binaryTypeIndex(value: unknown): number {
  for (let i = 0; i < BINARY_TYPES.length; i++) if (BINARY_TYPES[i] === value) return i
  return -1
}

/** RFC 6455 has no names for them; these are those of the WebSocket of the web and of ws. */
export const CONNECTING = 0
export const OPEN = 1
export const CLOSING = 2
export const CLOSED = 3

/** What the guest knows of a connection: the part of a socket that it keeps to itself. What few sockets need is null until then. */
export interface Connection {
  // What `send` looks at comes first, and stands together in memory: a loop over thousands has most of its cost in memory that is in no cache.
  readyState: 0 | 1 | 2 | 3
  number: number
  gateway: number
  /** Message of which more parts are to come. */
  fragments: Fragments | null
  /** Calls that wait until the Blob before them is read. */
  delayed: Delayed | null
  /** The turn in which it was sent to last, and the bytes sent in it. */
  sentIn: number
  sentBytes: number
  readonly id: string
  protocol: string
  extensions: string
  /** First 24 characters of the requestIds of its events, '' until there is one. */
  requestPrefix: string
  binaryType: BinaryType
  paused: boolean
  /** Listen bits that the gateway was told. */
  listening: number
  /** Somebody listens to its events: the isolate cannot be put away. */
  listened: boolean
  /** Bytes that wait at the gateway, as it said last. */
  buffered: number
  rooms: Set<string> | null
  /** `send` callbacks that wait for the gateway. */
  callbacks: Callbacks | null
  /** `socket.data` as the gateway has it; null is undefined. */
  dataBytes: Uint8Array | null
  /** The same decoded, once it was asked for. */
  dataValue: unknown
  dataDecoded: boolean
  /** Will be looked at when this turn's work is done. */
  dataTouched: boolean
  /** It was told that the value as it is now cannot be kept. */
  dataRefused: boolean
}

export interface Fragments {
  parts: Uint8Array[]
  count: number
  bytes: number
  binary: boolean
}

export interface Delayed {
  calls: (() => void)[]
  count: number
  bytes: number
}

export type Known = Pick<Connection, 'gateway' | 'number' | 'id' | 'protocol' | 'extensions' | 'readyState' | 'binaryType' | 'paused' | 'dataBytes'>

/** A connection that a gateway has. All have the same fields from the start: access to them stays fast. */
export function makeConnection(known: Known): Connection {
  return {
    readyState: known.readyState,
    number: known.number,
    gateway: known.gateway,
    fragments: null,
    delayed: null,
    sentIn: 0,
    sentBytes: 0,
    id: known.id,
    protocol: known.protocol,
    extensions: known.extensions,
    requestPrefix: '',
    binaryType: known.binaryType,
    paused: known.paused,
    listening: 0,
    listened: false,
    buffered: 0,
    rooms: null,
    callbacks: null,
    dataBytes: known.dataBytes,
    dataValue: undefined,
    dataDecoded: known.dataBytes === null,
    dataTouched: false,
    dataRefused: false
  }
}

/** A connection of which only the id is known: something that is kept refers to it. It is closed, unless a gateway has it. */
export function makeClosedConnection(id: string): Connection {
  return makeConnection({ gateway: 0, number: 0, id, protocol: '', extensions: '', readyState: CLOSED, binaryType: BINARY_TYPES[0], paused: false, dataBytes: null })
}

/** A gateway has it after all. */
export function openConnection(connection: Connection, known: Known): void {
  connection.gateway = known.gateway
  connection.number = known.number
  connection.protocol = known.protocol
  connection.extensions = known.extensions
  connection.paused = known.paused
  connection.dataBytes = known.dataBytes
  connection.dataDecoded = known.dataBytes === null
  connection.readyState = known.readyState
  connection.binaryType = known.binaryType
}
