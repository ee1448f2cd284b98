import type { App } from './app.ts'
import { reached } from './reached.ts'

/** Why a connection is not read; any of them is enough. */
export const Pause = { RATE: 1, QUEUE: 2, APP: 4, STOPPING: 8 } as const

/** After an event was added: above the limit no socket of the app is read. */
export function afterQueued(app: App): void {
  const { outbox, limits } = app
  if (app.queueFull || (outbox.count <= limits.queueEvents && outbox.bytes <= limits.queueBytes)) return
  app.queueFull = true
  if (outbox.count > limits.queueEvents) reached(app, 'queueEvents', `more than ${limits.queueEvents} events are waiting: its sockets are not read until it catches up`)
  else reached(app, 'queueBytes', `more than ${limits.queueBytes} bytes of events are waiting: its sockets are not read until it catches up`)
  for (const connection of app.connections.values()) connection.pause(Pause.QUEUE)
}

/** After events have settled: below half of the limit the sockets are read again. Half, so that they do not stop and go with each event. */
export function afterSettled(app: App): void {
  const { outbox, limits } = app
  if (app.queueFull && outbox.count * 2 <= limits.queueEvents && outbox.bytes * 2 <= limits.queueBytes) readAgain(app)
}

/** After the limits have changed: what is within the new ones is read, or handlers that wait for a message would wait for ever. */
export function afterLimits(app: App): void {
  const { outbox, limits } = app
  if (app.queueFull && outbox.count < limits.queueEvents && outbox.bytes < limits.queueBytes) readAgain(app)
}

function readAgain(app: App): void {
  app.queueFull = false
  for (const connection of app.connections.values()) connection.resume(Pause.QUEUE)
}

/** One more request or upgrade, with a body of this size as far as is known, fits. */
export function requestFits(app: App, bodyBytes: number): boolean {
  return !app.queueFull && app.outbox.count < app.limits.queueEvents && bytesFit(app, bodyBytes)
}

/** So many bytes more can wait for the app. */
export function bytesFit({ outbox, limits, arriving }: App, bytes: number): boolean {
  return outbox.bytes + arriving + bytes <= limits.queueBytes
}
