import { randomInt } from 'node:crypto'
import type { Server } from 'node:http'
import { Apps } from './apps.ts'
import { onCommand } from './commands.ts'
import type { Gateway } from './context.ts'
import { afterUnplaced, onLinkClose, onLinkOpen } from './delivery.ts'
import { Heartbeat } from './heartbeat.ts'
import { Numbers } from './numbers.ts'
import { poolCalls } from './pool-calls.ts'
import { PoolLink } from './pool-link.ts'
import { RateLimiter } from './rate.ts'
import { ReadingTurns } from './reading-share.ts'
import { SendMemory } from './send-memory.ts'
import { listenForClients, makeServer } from './server.ts'
import { TIMES, type Settings } from './settings.ts'
import { stopGateway } from './stop.ts'
import { WaitingBytes } from './waiting-bytes.ts'
import { WebSocketAcceptor } from './websocket-server.ts'
import { flushTouched } from './touched.ts'
import { WorkerLinks } from './worker-links.ts'
import { WritingTurns } from './writing-share.ts'

/** A gateway as its process sees it. */
export interface GatewayHandle {
  /** Starts to listen and says at which port. */
  listen(): Promise<number>
  /** Ends it in order: closes clients with 1001 and lets running handlers finish, for `graceMs` at most. */
  stop(graceMs: number): Promise<void>
  /** What the supervisor says of the platform. */
  setPlatform(ready: boolean): void
}

export function createGateway(settings: Settings): GatewayHandle {
  const gateway = assemble(settings)
  const server: Server = makeServer(gateway)
  return {
    async listen() {
      await gateway.links.listen(settings.linkSocket)
      gateway.pool.start()
      return listenForClients(server, gateway)
    },
    stop: (graceMs) => stopGateway(gateway, server, graceMs),
    setPlatform(ready) {
      gateway.platformReady = ready
    }
  }
}

function assemble(settings: Settings): Gateway {
  const times = { ...TIMES, ...settings.times }
  const apps = new Apps(() => gateway)
  const links = new WorkerLinks({
    onFrame: (from, bytes, start, end) => onCommand(gateway, from, bytes, start, end),
    onBatch: () => flushTouched(gateway),
    onOpen: (worker) => onLinkOpen(gateway, worker),
    onClose: (link) => onLinkClose(apps.all(), link),
    helloMs: times.linkHello
  })
  const pool = new PoolLink({
    path: settings.poolSocket,
    gateway: settings.index,
    times,
    handlers: poolCalls(() => gateway),
    onLinked: () => apps.refresh(),
    onUp: () => {
      for (const app of apps.all()) afterUnplaced(app)
    },
    onDown: () => {
      apps.onPoolLost()
      gateway.strangers.clear()
      links.drop()
    }
  })
  const gateway: Gateway = {
    settings,
    times,
    bootId: makeBootId(),
    numbers: new Numbers(),
    apps,
    pool,
    links,
    strangers: new Map(),
    sockets: new WebSocketAcceptor(times.closeHandshake),
    heartbeat: new Heartbeat(times.heartbeat),
    rates: new RateLimiter(times),
    readingTurns: new ReadingTurns(),
    writingTurns: new WritingTurns(),
    waiting: new WaitingBytes(settings.queueBytes),
    sendMemory: new SendMemory(null),
    touched: [],
    opened: 0,
    stopping: false,
    platformReady: settings.supervised ? false : null
  }
  return gateway
}

/** 62 bits: no two lives of any gateway begin their ids alike. */
function makeBootId(): string {
  return Array.from({ length: 12 }, () => randomInt(36).toString(36)).join('')
}
