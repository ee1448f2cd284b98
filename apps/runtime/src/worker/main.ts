/**
 * A worker: isolates, one for each app that the pool gives it, and nothing else. It has no environment, no files
 * and no network; descriptor 3 is its link to the pool, the ones above are its links to the gateways.
 */
import { Socket } from 'node:net'
import { CallError, FrameType, HEADER_BYTES, Link, PROTOCOL_VERSION, controlLink, readU32, type PoolCallsOfWorker, type WorkerCalls } from '@socklet/protocol'
import { App } from './app.ts'
import { Turns } from './turns.ts'

const POOL_FD = 3

const apps = new Map<number, App>()
let turns = new Turns(1)
let snapshot: ArrayBuffer | null = null
let tainted = false

function openSocket(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: true })
}

// Without its pool or one of its gateways a worker is of no use. SIGKILL, since a lost thread keeps process.exit from ending.
function endNow(): void {
  process.kill(process.pid, 'SIGKILL')
}

function onEvent(bytes: Uint8Array, start: number, end: number): void {
  const app = apps.get(readU32(bytes, start + 8))
  if (app !== undefined && app.generation === readU32(bytes, start + 12)) app.receive(bytes, start, end)
}

// A terminal sends its signals to the whole group. When a worker ends is its pool's decision.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

const gatewayCount = Number(process.argv[2] ?? '1')
const gateways = Array.from({ length: gatewayCount }, (_, index) => new Link(openSocket(POOL_FD + 1 + index), { onFrame: onEvent, onClose: endNow }))

const { link: pool, control } = controlLink<PoolCallsOfWorker, WorkerCalls>(
  (on) => new Link(openSocket(POOL_FD), on),
  {
    hello: ({ version, turns: limit }) => {
      if (version !== PROTOCOL_VERSION) throw new CallError('version', `the pool speaks version ${version}, this worker ${PROTOCOL_VERSION}`)
      if (snapshot === null) throw new CallError('no_snapshot', 'the snapshot has to come first')
      turns = new Turns(limit)
      return null
    },
    hold: ({ app, generation, release }) => {
      apps.get(app)?.dispose()
      apps.set(app, makeApp(app, generation, release))
      return null
    },
    release: ({ app }) => {
      apps.get(app)?.dispose()
      apps.delete(app)
      return null
    },
    update: async ({ app, generation, release }) => {
      const held = apps.get(app)
      if (held === undefined || held.generation !== generation) throw new CallError('not_held', 'this worker does not hold the app')
      try {
        await held.update(release)
      } catch (error) {
        throw new CallError('update_failed', (error as Error).message)
      }
      return null
    },
    stats: async ({ app }) => {
      const wanted = app === undefined ? [...apps] : [...apps].filter(([number]) => number === app)
      return Object.fromEntries(await Promise.all(wanted.map(async ([number, held]) => [number, await held.stats()] as const)))
    },
    ping: () => ({ oldestTurnMs: turns.oldestMs, rssBytes: process.memoryUsage.rss() })
  },
  { frame: onPoolFrame, close: endNow }
)

function makeApp(app: number, generation: number, release: ConstructorParameters<typeof App>[0]['release']): App {
  return new App({
    app,
    generation,
    release,
    snapshot: snapshot!,
    gateways,
    pool,
    turns,
    onDown: (reason, fault) => {
      if (apps.get(app)?.generation === generation) apps.delete(app)
      control.note('down', { app, generation, reason, fault })
    },
    onTainted: (reason) => {
      if (tainted) return
      tainted = true
      control.note('tainted', { reason })
      pool.flush()
    }
  })
}

function onPoolFrame(bytes: Uint8Array, start: number, end: number): void {
  if (bytes[start + 4] !== FrameType.BLOB) return
  const nameEnd = start + HEADER_BYTES + 4 + readU32(bytes, start + HEADER_BYTES)
  snapshot = new Uint8Array(bytes.subarray(nameEnd, end)).buffer
}
