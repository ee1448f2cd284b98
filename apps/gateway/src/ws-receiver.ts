/** Is called when what was written is dealt with. */
export type Done = (error?: Error | null) => void

/** What is used of the Receiver of ws 8 (lib/receiver.js), which has no types. */
export interface Receiver {
  _state: number
  _bufferedBytes: number
  _fin: boolean
  _opcode: number
  /** The opcode of a message whose first frames were read, else 0. */
  readonly _fragmented: number
  _numFragments: number
  _totalPayloadLength: number
  _payloadLength: number
  /** Bytes of a message at most; 0: any. */
  readonly _maxPayload: number
  _mask: Buffer
  _compressed: boolean
  readonly _errored: boolean
  /** As they were read, from the first that is not used up. */
  _buffers: Buffer[]
  /** Of the message that is not whole yet. */
  _fragments: Buffer[]
  readonly writableEnded: boolean
  end(): void
  emit(event: 'message', data: Buffer, binary: boolean): void
  write(chunk: Buffer): boolean
  _write(chunk: Buffer, encoding: BufferEncoding, done: Done): void
  startLoop(done: Done): void
  getInfo(done: Done): void
  consume(count: number): Buffer
  dataMessage(done: Done): void
  controlMessage(data: Buffer, done: Done): void
  createError(type: ErrorConstructor, message: string, prefix: boolean, closeCode: number, code: string): Error
}

/** States of the Receiver: it waits for a frame; for the payload of one; for us. */
export const GET_INFO = 0
export const GET_DATA = 4
export const DEFER_EVENT = 6
