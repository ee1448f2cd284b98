import { EventEmitter } from 'events'
import { push } from './lists.ts'
import { bareArray, reflectApply } from './primordials.ts'
import { isListenedTo, type WebSocket } from './socket.ts'
import { failed } from './tasks.ts'

type Listener = (...args: unknown[]) => unknown
type Event = [type: string, ...args: unknown[]]

const { emit } = EventEmitter.prototype
const rawListeners = EventEmitter.prototype.rawListeners as (this: WebSocket, type: string | symbol) => Listener[]
/** Listeners to it hear of errors first (Node docs, "events.errorMonitor"). */
const errorMonitor = Symbol.for('events.errorMonitor')

/** Who listens to it at this moment, null if nobody does. */
export function listenersOf(socket: WebSocket, type: string): Listener[] | null {
  const monitored = type === 'error' && isListenedTo(socket, errorMonitor)
  if (!monitored && !isListenedTo(socket, type)) return null
  const all = bareArray<Listener>()
  if (monitored) pushAll(all, reflectApply(rawListeners, socket, [errorMonitor]))
  pushAll(all, reflectApply(rawListeners, socket, [type]))
  return all
}

/** The socket's own listeners come after `main`, as laf's do. One that throws ends with a line in the log, and the socket is as it was. */
export function tellListeners(socket: WebSocket, listeners: Listener[], event: Event): void {
  try {
    // A function may have put one of its own there, to hear of everything.
    if (socket.emit !== emit) reflectApply(socket.emit, socket, event)
    else callAll(socket, listeners, event)
  } catch (error) {
    failed(error)
  }
}

function callAll(socket: WebSocket, listeners: Listener[], event: Event): void {
  const args = bareArray<unknown>()
  for (let i = 1; i < event.length; i++) push(args, event[i])
  for (let i = 0; i < listeners.length; i++) reflectApply(listeners[i]!, socket, args)
}

function pushAll(all: Listener[], more: Listener[]): void {
  for (let i = 0; i < more.length; i++) push(all, more[i]!)
}
