import { WEBSOCKET_FUNCTION, type Limits } from '@socklet/config'
import type { AppRoute, AppTraffic, Link, Loss, Placement } from '@socklet/protocol'
import { Outbox, type OutboxEvent } from './outbox.ts'
import type { Connection } from './connection.ts'
import type { Gateway } from './context.ts'
import type { PendingRequest } from './pending-request.ts'
import type { PendingUpgrade } from './pending-upgrade.ts'
import { FragmentPace, ReadingShare } from './reading-share.ts'
import type { Told } from './reached.ts'
import { SendMemory } from './send-memory.ts'
import { flushTouched } from './touched.ts'
import { WritingShare } from './writing-share.ts'

/** How the app's log names an event. */
export interface EventDescription {
  name: string
  functionName: string
  requestId: string
  connection: string
}

/** Whom an event belongs to: a Connection, a PendingRequest or a PendingUpgrade. */
export interface Peer {
  readonly number: number
  onEventSettled(type: number): void
  describe(type: number): EventDescription
}

export type AppEvent = OutboxEvent<Peer>

/** One life of the app on one link: where its events go, and the only place from which commands are taken. */
export interface Attachment {
  readonly link: Link
  /** Number of the app. */
  readonly app: number
  readonly generation: number
  /** A command has come from there, and not yet the last one. */
  heard: boolean
}

/** A life of the app that was put away, of whose commands some may still come (farewell.ts). */
export interface Leaving {
  readonly attachment: Attachment
  readonly loss: Loss
  /** Where the app goes on. */
  placement: Placement | null
  readonly timer: NodeJS.Timeout
  /** Attaches it there. */
  readonly go: (left: Leaving) => void
}

/** What this gateway counts of an app, for as long as it knows it. */
export type Counters = Omit<AppTraffic, 'connections' | 'queueEvents' | 'queueBytes'>

/** All that this gateway knows of one app. */
export class App {
  readonly gateway: Gateway
  readonly appid: string
  route: AppRoute
  limits: Limits
  /** Milliseconds of its rate that one message of a connection uses up. */
  messageCostMs: number
  readonly outbox: Outbox<Peer>
  /** By number, from the upgrade until the close event has settled. */
  readonly connections = new Map<number, Connection>()
  /** By number, until the event has settled. */
  readonly requests = new Map<number, PendingRequest>()
  /** Upgrades about which the app was asked, by number, until the event has settled. */
  readonly upgrades = new Map<number, PendingUpgrade>()
  /** By name; a room without members does not exist. */
  readonly rooms = new Map<string, Set<Connection>>()
  /** What waits for its slow clients. */
  readonly sendMemory: SendMemory
  /** What is done at a time with what its clients send. */
  readonly share: ReadingShare
  readonly fragments = new FragmentPace()
  /** What is done at a time of what it says. */
  readonly writing: WritingShare
  /** By limit, see reached.ts. */
  readonly told: Record<string, Told> = {}
  /** Connections whose sockets are open. */
  open = 0
  /** Bytes of request bodies that are still arriving. */
  arriving = 0
  readonly counters: Counters = {
    connectionsOpened: 0,
    events: { connection: 0, message: 0, close: 0, error: 0, request: 0 },
    messagesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    refused: {},
    limits: {}
  }

  /** What the pool said last, null if it has to be asked. */
  placement: Placement | null = null
  /** Where the app's frames go and come from; null until the link of the placement is there. */
  attachment: Attachment | null = null
  /** Until its last command has come, the app is attached nowhere. */
  leaving: Leaving | null = null
  /** The call that asks for a placement. */
  placing: Promise<void> | null = null
  /** Counts what the pool says of the placement unasked: an answer that is older than that is void. */
  placementNews = 0
  retryTimer: NodeJS.Timeout | null = null
  /** Too much waits for the app, or for all, and none of its sockets is read. */
  queueFull = false

  constructor(gateway: Gateway, route: AppRoute) {
    this.gateway = gateway
    this.outbox = new Outbox<Peer>(gateway.waiting)
    this.sendMemory = new SendMemory(gateway.sendMemory)
    this.share = new ReadingShare(gateway.readingTurns)
    this.writing = new WritingShare(this, gateway.writingTurns, () => flushTouched(gateway))
    this.appid = route.appid
    this.route = route
    this.limits = route.limits
    this.messageCostMs = 1000 / this.limits.messagesPerSecond
  }

  /** The life whose commands are carried out. */
  get life(): Attachment | null {
    return this.attachment ?? this.leaving?.attachment ?? null
  }

  /** Bytes that wait for the app. */
  get waiting(): number {
    return this.outbox.bytes + this.arriving
  }

  get number(): number {
    return this.route.app
  }

  get suspended(): boolean {
    return this.route.state === 'suspended'
  }

  get servesWebSocket(): boolean {
    return Object.hasOwn(this.route.functions, WEBSOCKET_FUNCTION)
  }

  setRoute(route: AppRoute): void {
    this.route = route
    this.limits = route.limits
    this.messageCostMs = 1000 / this.limits.messagesPerSecond
  }

  countRefusal(status: number): void {
    this.counters.refused[status] = (this.counters.refused[status] ?? 0) + 1
  }
}
