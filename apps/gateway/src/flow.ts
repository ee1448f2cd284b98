import type { App } from './app.ts'
import type { Gateway } from './context.ts'
import { reached } from './reached.ts'

/** Why a connection is not read; any of them is enough. */
export const Pause = { RATE: 1, QUEUE: 2, APP: 4, STOPPING: 8 } as const

const MiB = 1024 * 1024

/** After an event was added: above the limit no socket of the app is read. */
export function afterQueued(app: App): void {
  const { outbox, limits, gateway } = app
  if (app.queueFull) return
  if (outbox.count > limits.queueEvents) hold(app, 'queueEvents', `more than ${limits.queueEvents} events are waiting: its sockets are not read until it catches up`)
  else if (outbox.bytes > limits.queueBytes) hold(app, 'queueBytes', `more than ${limits.queueBytes} bytes of events are waiting: its sockets are not read until it catches up`)
  else if (gateway.waiting.isTooMuch(app.waiting)) holdForAll(app)
}

function hold(app: App, limit: string, what: string): void {
  app.queueFull = true
  reached(app, limit, what)
  for (const connection of app.connections.values()) connection.pause(Pause.QUEUE)
}

function holdForAll(app: App): void {
  const { waiting } = app.gateway
  waiting.held.add(app)
  hold(app, 'gatewayQueue', `more than ${waiting.most / MiB} MiB are waiting for all apps, ${app.waiting} bytes of it for this one: its sockets are not read until less is waiting`)
}

/** After events have settled: below half of the limit the sockets are read again. Half, so that they do not stop and go with each event. */
export function afterSettled(app: App): void {
  const { outbox, limits, gateway } = app
  if (app.queueFull && outbox.count * 2 <= limits.queueEvents && outbox.bytes * 2 <= limits.queueBytes && gateway.waiting.hasRoom(app.waiting)) readAgain(app)
  afterFreed(gateway)
}

/** After the limits have changed: what is within the new ones is read, or handlers that wait for a message would wait for ever. */
export function afterLimits(app: App): void {
  if (app.queueFull && isWithinLimits(app) && app.gateway.waiting.hasRoom(app.waiting)) readAgain(app)
}

/** After less waits for all: who had to wait for the others goes on, or handlers that wait for a message would wait for ever. */
export function afterFreed({ waiting }: Gateway): void {
  if (waiting.held.size === 0 || !waiting.hasRoom(Infinity)) return
  const apps = [...waiting.held]
  waiting.held.clear()
  for (const app of apps) if (isWithinLimits(app)) readAgain(app)
}

function isWithinLimits({ outbox, limits }: App): boolean {
  return outbox.count < limits.queueEvents && outbox.bytes < limits.queueBytes
}

function readAgain(app: App): void {
  app.queueFull = false
  app.gateway.waiting.held.delete(app)
  for (const connection of app.connections.values()) connection.resume(Pause.QUEUE)
}

/** One more request or upgrade, with a body of this size as far as is known, fits. */
export function requestFits(app: App, bodyBytes: number): boolean {
  return !app.queueFull && app.outbox.count < app.limits.queueEvents && bytesFit(app, bodyBytes)
}

/** So many bytes more can wait for the app. */
export function bytesFit({ waiting, limits }: App, bytes: number): boolean {
  return waiting + bytes <= limits.queueBytes
}
