import { HEAD_BYTES, LOOPED } from './floor-pieces.ts'

/** Looks at each event and gives it back. */
const ECHO = `(batch) => {
  const bytes = new DataView(batch)
  let events = 0
  for (let at = 0; at < batch.byteLength; at += ${HEAD_BYTES} + bytes.getUint32(at + 8, true)) events++
  if (events === 0) throw new Error('an empty batch')
  return batch
}`

/**
 * Has a function that sends each message in a plain loop over its sockets, and gives each message back once, with the numbers of whom it was sent to.
 * An event without data is the beginning of a connection or, if that is known, its end.
 */
const LOOP = `(() => {
  const sockets = new Map()
  const numbers = new Uint32Array(65536)
  let count = 0
  let sent = null
  let answers = []
  class Socket {
    isOpen = true
    constructor(number) { this.number = number }
    send(message) {
      if (!this.isOpen) return
      if (message !== sent || count === numbers.length) endAnswer()
      sent = message
      numbers[count++] = this.number
    }
  }
  function endAnswer() {
    if (count > 0) answers.push({ sent, numbers: numbers.slice(0, count) })
    count = 0
  }
  function main(message) {
    sockets.forEach((socket) => socket.send(message))
  }
  function write(to, at, { sent, numbers }) {
    const head = new DataView(to.buffer, at)
    head.setUint32(0, ${LOOPED}, true)
    head.setUint32(8, 4 + sent.byteLength + numbers.byteLength, true)
    head.setUint32(${HEAD_BYTES}, sent.byteLength, true)
    to.set(sent, at + ${HEAD_BYTES} + 4)
    to.set(new Uint8Array(numbers.buffer), at + ${HEAD_BYTES} + 4 + sent.byteLength)
  }
  return (batch) => {
    const bytes = new DataView(batch)
    for (let at = 0; at < batch.byteLength; ) {
      const number = bytes.getUint32(at + 4, true)
      const length = bytes.getUint32(at + 8, true)
      at += ${HEAD_BYTES}
      if (length > 0) main(new Uint8Array(batch, at, length))
      else if (!sockets.delete(number)) sockets.set(number, new Socket(number))
      at += length
    }
    endAnswer()
    const sizeOf = ({ sent, numbers }) => ${HEAD_BYTES} + 4 + sent.byteLength + numbers.byteLength
    const all = new Uint8Array(answers.reduce((size, answer) => size + sizeOf(answer), 0))
    let at = 0
    for (const answer of answers) {
      write(all, at, answer)
      at += sizeOf(answer)
    }
    answers = []
    sent = null
    return all.buffer
  }
})()`

/** What is in the isolate with this number. */
export function guestOf(isolate: number): string {
  return isolate === LOOPED ? LOOP : ECHO
}
