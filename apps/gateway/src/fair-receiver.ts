/* oxlint-disable no-underscore-dangle -- the names are those of ws */
import type { WebSocket } from 'ws'
import type { Socket } from 'node:net'
import { readSlowly } from './read-slowly.ts'
import { FRAGMENTS_AT_A_TIME, type FragmentPace, type ReadingShare, type Waiting } from './reading-share.ts'
import { unmask } from './unmask.ts'
import { wholeMessage } from './whole-message.ts'
import { DEFER_EVENT, GET_DATA, GET_INFO, type Done, type Receiver } from './ws-receiver.ts'

/*
 * ws deals with all that one read brings at once: 64 KiB, which can be eleven thousand frames. Here its receiver stops between
 * two frames, or before the next piece of a large one, when the app has had its share of the turn, and goes on in the next one.
 * It stops in the way that ws itself does for `allowSynchronousEvents: false`: what arrives meanwhile is not read.
 * It relies on the inside of ws, whose version is therefore an exact one in package.json; test/conformance tells whether another does.
 */

interface FairReceiver extends Receiver, Waiting {
  socket: Socket
  share: ReadingShare
  pace: FragmentPace
  /** Since the last ones were paid. */
  smallFragments: number
  /** While it waits. */
  stoppedIn: number
  stopped: Done | null
}

/** getInfo of ws waits for so many. */
const HEADER_BYTES = 2

/** Opcode (RFC 6455, 5.2). */
const CLOSE = 8

/** A ping is answered, with a write of its own. */
const CONTROL_UNITS = 4
/** Larger fragments are worth what they cost. */
const SMALL_FRAGMENT_BYTES = 1024
/** So many fragments of a message may be as small as they like; if there are more, they have to be of so many bytes, on average. */
export const FREE_FRAGMENTS = 16 * 1024
const MEAN_FRAGMENT_BYTES = 32
/** ws unmasks octet by octet. */
const UNMASK_FROM_BYTES = 256
const MASK_BYTES = 4
/** ws takes it for no mask. */
const UNMASKED = Buffer.alloc(4)

/** From now on, what this client sends is dealt with in turns. */
export function receiveFairly(ws: WebSocket, socket: Socket, share: ReadingShare, pace: FragmentPace): void {
  const receiver = (ws as unknown as { _receiver: FairReceiver })._receiver
  Object.assign(receiver, { socket, share, pace, smallFragments: 0, stoppedIn: GET_INFO, stopped: null })
  Object.setPrototypeOf(receiver, fairly(Object.getPrototypeOf(receiver) as Receiver))
}

let fair: FairReceiver | null = null

/** The methods of ws, and over them ours; the same for all. */
function fairly(base: Receiver): FairReceiver {
  fair ??= Object.assign(Object.create(base) as FairReceiver, methods(base))
  return fair
}

type Methods = Pick<FairReceiver, 'write' | '_write' | 'end' | 'startLoop' | 'getInfo' | 'consume' | 'dataMessage' | 'controlMessage' | 'goOn'>

function methods(base: Receiver): Methods & ThisType<FairReceiver> {
  return {
    write(chunk) {
      const message = this.share.isUsedUp ? null : wholeMessage(this, chunk)
      if (message === null) return base.write.call(this, chunk)
      this.share.useBytes(chunk.byteLength)
      this.share.use(1)
      this.emit('message', message.data, message.binary)
      return true
    },
    _write(chunk, encoding, done) {
      this.share.useBytes(chunk.byteLength)
      base._write.call(this, chunk, encoding, done)
    },
    end() {
      // ws says it up to three times, and an error with a stack is made each time but the first.
      if (!this.writableEnded) base.end.call(this)
    },
    startLoop(done) {
      if (this.share.isUsedUp) stop(this, done, this.share)
      else base.startLoop.call(this, done)
    },
    getInfo(done) {
      if (this._bufferedBytes < HEADER_BYTES) base.getInfo.call(this, done)
      else if (this.share.isUsedUp) stop(this, done, this.share)
      else {
        this.share.use(1)
        base.getInfo.call(this, done)
      }
    },
    consume(count) {
      if (count < UNMASK_FROM_BYTES || this._state !== GET_DATA) return base.consume.call(this, count)
      const rest = this._compressed ? count : count - keepApart(this, count)
      const bytes = base.consume.call(this, rest)
      unmask(bytes, this._mask, (count - rest) % MASK_BYTES)
      this._mask = UNMASKED
      return bytes
    },
    dataMessage(done) {
      base.dataMessage.call(this, done)
      if (this._fin || this._payloadLength >= SMALL_FRAGMENT_BYTES || ++this.smallFragments < FRAGMENTS_AT_A_TIME) return
      this.smallFragments = 0
      if (this._numFragments > FREE_FRAGMENTS && this._totalPayloadLength < this._numFragments * MEAN_FRAGMENT_BYTES) done(tooMany(this))
      else if (!this.pace.take()) stop(this, done, this.pace)
    },
    controlMessage(data, done) {
      this.share.use(CONTROL_UNITS)
      base.controlMessage.call(this, data, done)
      // Where the answer has left, the socket ends in a moment (end-at-once.ts).
      if (this._opcode === CLOSE && this.socket.writableLength > 0) readSlowly(this.socket)
    },
    goOn() {
      const done = this.stopped!
      this.stopped = null
      this._state = this.stoppedIn
      this.startLoop(done)
    }
  }
}

/**
 * ws joins what several reads have brought of a frame, and joins again the frames of a message. Here the pieces are kept as they
 * came, as if each were a frame, and are joined once, when the message is whole: for one that is too large that is never.
 * @returns how many bytes of the frame those pieces have; the last one is left
 */
function keepApart(receiver: FairReceiver, count: number): number {
  let kept = 0
  while (receiver._buffers[0]!.byteLength < count - kept) {
    const piece = receiver._buffers.shift()!
    unmask(piece, receiver._mask, kept % MASK_BYTES)
    receiver._bufferedBytes -= piece.byteLength
    receiver._fragments.push(piece)
    kept += piece.byteLength
  }
  return kept
}

/** What ws says above its maxFragments. */
function tooMany(receiver: FairReceiver): Error {
  return receiver.createError(RangeError, 'Too many message fragments', false, 1008, 'WS_ERR_TOO_MANY_BUFFERED_PARTS')
}

/** The loop of the receiver ends at this state, and says nothing to who writes to it: `done` is for the one that goes on. */
function stop(receiver: FairReceiver, done: Done, until: ReadingShare | FragmentPace): void {
  receiver.stoppedIn = receiver._state
  receiver.stopped = done
  receiver._state = DEFER_EVENT
  until.wait(receiver)
}
