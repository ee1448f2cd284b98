import { CallError, FrameType, Flag, type LogLine, type Loss, type Placement } from '@socklet/protocol'
import type { App, AppEvent, Attachment, Peer } from './app.ts'
import { repeatBacklog } from './backlog.ts'
import type { Connection } from './connection.ts'
import type { Gateway } from './context.ts'
import { awaitFarewell, forgetLeaving, onFarewell } from './farewell.ts'
import { afterQueued, afterSettled } from './flow.ts'
import { forgetPeers } from './forget.ts'
import { headFor, notify } from './notify.ts'
import type { PendingRequest } from './pending-request.ts'
import type { PendingUpgrade } from './pending-upgrade.ts'
import { report } from './report.ts'

/** An event of the app: kept, and sent to where the app is. If it is nowhere, the pool is asked for a place. */
export function deliver(app: App, type: number, flags: number, peer: Peer, payload: Uint8Array): void {
  const event: AppEvent = {
    type,
    flags,
    gateway: app.gateway.settings.index,
    app: app.number,
    generation: 0,
    connection: peer.number,
    sequence: 0,
    payload,
    peer,
    sentOn: null,
    deliveries: 0,
    began: false,
    running: false,
    deaths: 0
  }
  app.outbox.push(event)
  if (app.placement === null) requestPlacement(app)
  else if (app.attachment !== null) send(app.attachment, event)
  afterQueued(app)
}

function send(attachment: Attachment, event: AppEvent): void {
  if (event.sentOn !== null) event.flags |= Flag.REDELIVERED
  event.sentOn = attachment
  event.deliveries++
  event.app = attachment.app
  event.generation = attachment.generation
  // No client waits for what the app makes of its end.
  if (event.type === FrameType.CLOSED) attachment.link.sendLater(event, event.payload)
  // Of a connection that opens again, what the app has made of it since is a part.
  else attachment.link.send(event, event.type === FrameType.OPEN ? (event.peer as Connection).opening() : event.payload)
}

// --- placing ------------------------------------------------------------------------------------

/**
 * Settles once the app has a place.
 * @throws CallError when the pool is not there, or says that the app cannot run.
 */
export function ensurePlaced(app: App): Promise<void> {
  if (app.placement !== null) return Promise.resolve()
  if (!app.gateway.pool.up) return Promise.reject(new CallError('link_closed', 'there is no pool'))
  app.placing ??= askForPlace(app)
    .catch((error: CallError) => {
      onPlaceRefused(app, error)
      throw error
    })
    .finally(() => {
      app.placing = null
    })
  return app.placing
}

async function askForPlace(app: App): Promise<void> {
  const { pool, times } = app.gateway
  while (app.placement === null) {
    // The number may be another one when the pool is back.
    if (!pool.up) throw new CallError('link_closed', 'there is no pool')
    const { placementNews } = app
    const placement = await pool.call('place', { app: app.number }, times.place)
    // What the pool has said since may be newer than this answer.
    if (app.placementNews === placementNews) setPlacement(app, placement)
  }
}

/** For events that wait. Without a link to the pool there is nobody to ask; its return asks for all who wait. */
function requestPlacement(app: App): void {
  if (app.placing !== null || app.retryTimer !== null || app.suspended || !app.gateway.pool.up) return
  ensurePlaced(app).catch(() => {})
}

function onPlaceRefused(app: App, error: CallError): void {
  if (error.code === 'unavailable') {
    forgetPeers(app, 'failed')
    return
  }
  report(`placing ${app.appid}`, error)
  app.retryTimer ??= setTimeout(() => {
    app.retryTimer = null
    if (app.outbox.count > 0 && app.placement === null) requestPlacement(app)
  }, app.gateway.times.placeRetry).unref()
}

/** The pool says where the app is from now on. */
export function placed(app: App, placement: Placement | null, loss: Loss): void {
  app.placementNews++
  if (isInOrder(loss) && awaitFarewell(app, placement, loss, (left) => afterLoss(app, left.placement, left.loss))) return
  forgetLeaving(app)
  afterLoss(app, placement, loss)
}

/** The isolate was put away, and says so behind what it has sent. */
function isInOrder(loss: Loss): boolean {
  return loss === 'idle' || loss === 'putAway'
}

function afterLoss(app: App, placement: Placement | null, loss: Loss): void {
  if (loss === 'idle') forgetUnheard(app)
  else if (loss === 'crashed' || loss === 'killed') dropPoisonous(app, loss)
  setPlacement(app, placement)
}

/** The isolate was put away while it had nothing to do: what was on its way then, nobody has heard. */
function forgetUnheard(app: App): void {
  for (const event of app.outbox.unsettled()) {
    if (event.sentOn !== null) event.deliveries--
    event.sentOn = null
  }
}

/** The pool is gone: nothing that it said of places holds. */
export function unplace(app: App): void {
  app.placementNews++
  app.placement = null
  app.attachment = null
  forgetLeaving(app)
}

function setPlacement(app: App, placement: Placement | null): void {
  app.placement = placement
  if (placement === null) {
    app.attachment = null
    afterUnplaced(app)
    return
  }
  const link = app.gateway.links.get(placement.worker)
  if (link === undefined) app.attachment = null
  else attach(app, { link, app: app.number, generation: placement.generation, heard: false })
}

/** The app is nowhere: what waits asks for a place. */
export function afterUnplaced(app: App): void {
  if (app.suspended) forgetPeers(app, 'suspended')
  else if (app.outbox.count > 0) requestPlacement(app)
}

// --- attaching ----------------------------------------------------------------------------------

/** Whose worker never comes is not kept for ever: the runtime does not wait long. */
const MAX_STRANGERS = 10_000

/** A link from this worker is here: apps that are placed on it go on there. */
export function onLinkOpen(gateway: Gateway, worker: number): void {
  for (const app of gateway.apps.all()) if (app.placement?.worker === worker) setPlacement(app, app.placement)
  tellStrangers(gateway)
}

/** Nothing can be sent to these apps until the pool has placed them anew. */
export function onLinkClose(apps: Iterable<App>, link: Attachment['link']): void {
  for (const app of apps) {
    if (app.attachment?.link === link) app.attachment = null
    if (app.leaving?.attachment.link === link) onFarewell(app)
  }
}

/**
 * The app's life on this link begins: it learns of the connections it knew before, then gets what is not settled, in order.
 * If the link and the life are those of before, only what was not sent yet is sent.
 */
function attach(app: App, wanted: Attachment): void {
  if (!isSame(app.attachment, wanted)) {
    app.attachment = wanted
    dropHalfAnswered(app)
    app.writing.foresee()
    for (const connection of app.connections.values()) {
      // A new life of the app says again what it listens to.
      connection.listens = 0
      if (!connection.known) continue
      wanted.link.send(headFor(app, wanted, FrameType.ATTACH, connection), connection.attaching())
      repeatBacklog(connection)
    }
    tellAttached(app.gateway, wanted)
  }
  for (const event of app.outbox.unsettled()) if (event.sentOn !== app.attachment) sendWaiting(app, app.attachment!, event)
  // What nobody waits for any more was dropped on the way.
  afterSettled(app)
}

/** The isolate begins when every gateway has said this, also one that does not know the app. */
function tellAttached({ settings }: Gateway, { link, app, generation }: Attachment): void {
  link.send({ type: FrameType.ATTACHED, flags: 0, gateway: settings.index, app, generation, connection: 0, sequence: 0 })
}

/** An app that this gateway does not know, so it has nothing to attach, is there from now on; the worker's link may come later. */
export function strangerPlaced(gateway: Gateway, app: number, placement: Placement | null): void {
  const { strangers } = gateway
  strangers.delete(app)
  if (placement !== null && !tellStranger(gateway, app, placement) && strangers.size < MAX_STRANGERS) strangers.set(app, placement)
}

/** For when a worker's link has come, or it has turned out who is known here. */
export function tellStrangers(gateway: Gateway): void {
  for (const [app, placement] of gateway.strangers) if (tellStranger(gateway, app, placement)) gateway.strangers.delete(app)
}

/** false as long as there is no link to tell it on, or apps are still looked up at a new pool: it may be one that is known here. */
function tellStranger(gateway: Gateway, app: number, { worker, generation }: Placement): boolean {
  const link = gateway.apps.numbersHold ? gateway.links.get(worker) : undefined
  if (link !== undefined) tellAttached(gateway, { link, app, generation, heard: false })
  return link !== undefined
}

/** The pool has said where the app is when this gateway did not know it yet, and was told then that there is nothing to attach. */
export function wasPlaced(app: App, placement: Placement): void {
  app.gateway.strangers.delete(app.number)
  app.placement = placement
  const link = app.gateway.links.get(placement.worker)
  if (link !== undefined) app.attachment = { link, app: app.number, generation: placement.generation, heard: false }
}

/** The app with this number is known here after all. */
export function noStranger(app: App): void {
  const { strangers } = app.gateway
  const placement = strangers.get(app.number)
  strangers.delete(app.number)
  if (placement !== undefined) placed(app, placement, 'none')
}

function isSame(one: Attachment | null, other: Attachment): boolean {
  return one !== null && one.link === other.link && one.generation === other.generation && one.app === other.app
}

function sendWaiting(app: App, attachment: Attachment, event: AppEvent): void {
  if (event.type === FrameType.UPGRADE && (event.peer as PendingUpgrade).over) {
    drop(app, event)
    return
  }
  event.began = false
  event.running = false
  send(attachment, event)
  if (event.type === FrameType.REQUEST && (event.peer as PendingRequest).gone) notify(app, FrameType.REQUEST_GONE, event.peer)
}

// --- settling -----------------------------------------------------------------------------------

/** The event's handler is done, or the event is dropped. */
export function onSettled(event: AppEvent): void {
  event.peer.onEventSettled(event.type)
}

/** Whoever drops calls `afterSettled` when it is done. */
function drop(app: App, event: AppEvent): void {
  app.outbox.settle(event.sequence)
  onSettled(event)
}

/** A handler that waits may be unsettled at many deaths that are not its own; at so many it probably kills later than in its first turn. */
const MAX_DEATHS = 5

/** An event in whose turn the worker died, and which had been sent before that, is what kills workers, as far as we can know. */
function dropPoisonous(app: App, loss: Loss): void {
  for (const event of app.outbox.unsettled()) {
    if (!event.began || event.deliveries < 2) continue
    event.deaths++
    if (!(event.running && loss === 'crashed') && event.deaths < MAX_DEATHS) continue
    app.gateway.pool.note('log', { app: app.number, line: obituary(event) })
    drop(app, event)
  }
  afterSettled(app)
}

function obituary({ type, peer }: AppEvent): LogLine {
  const { name, functionName, requestId, connection } = peer.describe(type)
  const message = `${name} was running when the process of the app died, again: it is dropped and not delivered again`
  return { time: Date.now(), level: 'error', function: functionName, requestId, connection, version: 0, message }
}

/** The first part of an answer cannot be taken back: the client must not get the beginning of one and the end of another. */
function dropHalfAnswered(app: App): void {
  for (const event of app.outbox.unsettled()) {
    if (event.type !== FrameType.REQUEST) continue
    const request = event.peer as PendingRequest
    if (!request.halfAnswered) continue
    request.abort()
    drop(app, event)
  }
}
