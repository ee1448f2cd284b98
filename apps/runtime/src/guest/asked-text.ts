import { HEADER_BYTES } from '@socklet/protocol/frame'
import type { Mailbox } from './mailbox.ts'

/**
 * The ASCII text of a message for which a function asked last. What is sent is often what has come, and its bytes are here as words: four
 * characters at a time in place of each by itself, from a string that is a part of a longer one.
 */
let asked: string | null = null
let mailbox: Mailbox | null = null
let start = 0
/** What has come with this turn. */
let came: Mailbox | null = null

/** A turn begins; null if nothing has come. */
export function noteCame(newest: Mailbox | null): void {
  came = newest
}

export function noteAsked(text: string, from: Mailbox, at: number): void {
  asked = text
  mailbox = from
  start = at
}

/** Nothing is kept for it between turns. */
export function forgetAsked(): void {
  asked = mailbox = came = null
}

/** Where the event frame of this text stands among what has come with this turn, or -1 if it is not that one, or came before. */
export function askedFrame(text: string): number {
  return came !== null && mailbox === came && text === asked ? start - HEADER_BYTES : -1
}

/** Writes the text at `offset`, the beginning of a word, if it is that one and its words are still there. Returns whether it did. */
export function writeAsked(words: Uint32Array, offset: number, text: string): boolean {
  const before = mailbox === null ? null : mailbox.before
  if (before === null || text !== asked) return false
  const whole = text.length >> 2
  const from = start >> 2
  const to = offset >> 2
  for (let i = 0; i < whole; i++) words[to + i] = before[from + i]!
  const rest = text.length & 3
  if (rest > 0) words[to + whole] = before[from + whole]! & ((1 << (rest * 8)) - 1)
  return true
}
