/**
 * A worker: isolates, one for each app that the pool gives it, and nothing else. It has no environment, no files
 * and no network; descriptor 3 is its link to the pool, the ones above are its links to the gateways.
 */
import { DEFAULT_LIMITS } from '@socklet/config'
import { CallError, Flag, FrameType, HEADER_BYTES, Link, PROTOCOL_VERSION, controlLink, readHead, readU32, splitHead, type AppRelease, type FrameHead, type PoolCallsOfWorker, type WorkerCalls } from '@socklet/protocol'
import { LINK_LOST } from '../link-lost.ts'
import { App } from './app.ts'
import { Early } from './early.ts'
import { openSnapshot, type Snapshot } from './isolate.ts'
import { Spare } from './spare.ts'
import { States } from './states.ts'
import { tryRelease } from './trial.ts'
import { Turns } from './turns.ts'

const POOL_FD = 3

const apps = new Map<number, App>()
const early = new Early()
const states = new States()
let turns = new Turns(1)
let snapshot: Snapshot | null = null
let tainted = false
/** Set with `hello`. */
let spare: Spare | null = null

// Without its pool or one of its gateways a worker is of no use.
function endNow(): void {
  process.kill(process.pid, LINK_LOST)
}

function onEvent(bytes: Uint8Array, start: number, end: number): void {
  const app = apps.get(readU32(bytes, start + 8))
  if (app !== undefined && app.generation === readU32(bytes, start + 12)) app.receive(bytes, start, end)
  else early.add(bytes, start, end)
}

// A terminal sends its signals to the whole group. When a worker ends is its pool's decision.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

const gatewayCount = Number(process.argv[2] ?? '1')
const gateways = Array.from({ length: gatewayCount }, (_, index) => Link.open(POOL_FD + 1 + index, { onFrame: onEvent, onClose: endNow, mayWait: () => turns.areCrowded }))

const { link: pool, control } = controlLink<PoolCallsOfWorker, WorkerCalls>(
  (on) => Link.open(POOL_FD, on),
  {
    hello: ({ version, turns: limit }) => {
      if (version !== PROTOCOL_VERSION) throw new CallError('version', `the pool speaks version ${version}, this worker ${PROTOCOL_VERSION}`)
      if (snapshot === null) throw new CallError('no_snapshot', 'the snapshot has to come first')
      turns = new Turns(limit)
      spare = new Spare({ snapshot, turns, onCatastrophe: onTainted })
      spare.refillSoon(DEFAULT_LIMITS.heapMiB)
      return null
    },
    hold: ({ app, generation, release, watchMs }) => {
      apps.get(app)?.dispose()
      const held = makeApp(app, generation, release, watchMs)
      apps.set(app, held)
      early.take(app, generation, (bytes, start, end) => held.receive(bytes, start, end))
      return null
    },
    putAway: async ({ app, ifIdle, discard }) => {
      const held = apps.get(app)
      if (discard) {
        states.take(app)
        held?.dispose()
      }
      if (held === undefined || (await held.putAway(!ifIdle))) {
        if (apps.get(app) === held) apps.delete(app)
        return true
      }
      return false
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
    forget: async ({ app, generation, key }) => {
      const held = apps.get(app)
      if (held === undefined || held.generation !== generation) throw new CallError('not_held', 'this worker does not hold the app')
      await held.forget(Buffer.from(key, 'base64'))
      return null
    },
    stats: async ({ app }) => {
      const wanted = app === undefined ? [...apps] : [...apps].filter(([number]) => number === app)
      return Object.fromEntries(await Promise.all(wanted.map(async ([number, held]) => [number, await held.stats()] as const)))
    },
    trial: async ({ number, release, names }) => {
      const result = await tryRelease({ release, names, state: states.take(number), spare: spare!, turns })
      spare!.refillSoon(release.limits.heapMiB)
      return result
    },
    ping: () => null,
    watch: ({ ms }) => {
      for (const app of apps.values()) app.watch(ms)
      return null
    }
  },
  { frame: onPoolFrame, close: endNow }
)

function makeApp(app: number, generation: number, release: AppRelease, watchMs = 0): App {
  return new App({
    app,
    generation,
    release,
    spare: spare!,
    watchMs,
    state: states.whole(app, generation),
    gateways,
    pool,
    turns,
    isAlone: () => apps.size === 1,
    onDown: (reason, fault) => {
      if (apps.get(app)?.generation === generation) apps.delete(app)
      control.note('down', { app, generation, reason, fault })
    },
    onIdle: () => control.note('idle', { app, generation }),
    onTainted
  })
}

function onTainted(reason: string): void {
  if (tainted) return
  tainted = true
  control.note('tainted', { reason })
  pool.flush()
}

function onPoolFrame(bytes: Uint8Array, start: number, end: number): void {
  const type = bytes[start + 4]
  if (type === FrameType.SHARED_DONE) onStored(readHead(bytes, start))
  else if (type === FrameType.SHARED_STATE) states.add(readHead(bytes, start), bytes.slice(start + HEADER_BYTES, end))
  else if (type === FrameType.FETCH_RESULT || type === FrameType.FETCH_PART) onFetched(bytes, start, end)
  else if (type === FrameType.BLOB) takeSnapshot(bytes, start, end)
}

/** What answers an outgoing request is an event as others are, but nobody keeps it. */
function onFetched(bytes: Uint8Array, start: number, end: number): void {
  const app = apps.get(readU32(bytes, start + 8))
  if (app?.generation === readU32(bytes, start + 12)) app.receive(bytes, start, end)
}

function onStored({ app, generation, sequence, flags }: FrameHead): void {
  const held = apps.get(app)
  if (held?.generation === generation) held.onStored(sequence, (flags & Flag.FAILED) !== 0)
}

function takeSnapshot(bytes: Uint8Array, start: number, end: number): void {
  snapshot = openSnapshot(splitHead(bytes.subarray(start + HEADER_BYTES, end)).rest)
}
