import type { ChildProcess } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { DATA } from '@socklet/config'
import { FrameType, Link, PROTOCOL_VERSION, controlLink, encodeFrame, withHead, type Control, type FrameHead, type PoolCallsOfWorker, type WorkerCalls, type CallHandlers } from '@socklet/protocol'
import { watchMemory, type MemoryWatch } from './memory-watch.ts'
import { ADDON, spawnIn, type Sandbox, type Spawned } from './sandbox.ts'

/** isolated-vm, and what node-gyp-build looks for to choose its binary. */
const READABLE = [...ADDON, '/etc/alpine-release']
const START_TIMEOUT_MS = 30_000
const STDERR_LINES = 20
/** A worker without its link is left so long to end by itself. */
const LINK_GRACE_MS = 1_000

export interface WorkerOptions {
  /** Unique for the life of the pool. */
  index: number
  gateways: number
  /** Turns at a time. */
  turns: number
  /** Its program, in JavaScript. */
  program: string
  snapshot: Uint8Array
  sandbox: Sandbox
  memory: MemoryBound
  handlers: CallHandlers<PoolCallsOfWorker>
  /** Frames that are no calls: what its apps log, change of `cloud.shared`, fetch… */
  onFrame: (bytes: Uint8Array, start: number, end: number) => void
  onExit: (reason: string, signal: string | null) => void
}

/** Of one worker process. */
export interface MemoryBound {
  bytes: number
  /** It holds nothing that could grow. */
  isIdle?: () => boolean
  /** The worker is on its way there: who is in a turn is worth knowing from now on. */
  onHalf?: (worker: WorkerProcess) => void
  /** It is above, and is killed when this returns. */
  onOver: (worker: WorkerProcess, rssBytes: number) => void
}

export interface WorkerProcess {
  readonly index: number
  /** Of Node, whatever is around it. */
  readonly pid: number
  readonly startedAt: number
  /** Its memory when it was looked at last, 0 where nobody can: while it holds nothing, that may be two seconds ago. */
  readonly rssBytes: number
  readonly control: Control<WorkerCalls, PoolCallsOfWorker>
  /** Numbers of the apps that it holds. */
  readonly apps: Set<number>
  /** Those of which it has not said yet that they are there. */
  readonly arriving: Set<number>
  /** Those that are watched, and in a turn. */
  readonly running: Set<number>
  /** It holds this app from now on. */
  take(app: number): void
  /** It has something to do again, and is not idle (MemoryBound). */
  wake(): void
  /** A frame that is no call. */
  send(head: FrameHead, payload?: Uint8Array): void
  /** What was sent leaves now, and not at the end of this turn of the event loop. */
  flush(): void
  /** Ends it at once: what a worker holds is kept by others. */
  kill(): void
  /** Its process runs and its link is open, as far as is known: either may end first. */
  readonly alive: boolean
  /** It was ended here. */
  readonly killed: boolean
}

/**
 * Starts a worker with its links as open descriptors: the pair to this pool, and a connection to each gateway that
 * is made here, so that the worker itself never connects to anything.
 * @throws Error with the last lines that it wrote, if it does not come up.
 */
export async function startWorker(options: WorkerOptions): Promise<WorkerProcess> {
  const gateways = await connectGateways(options.gateways, options.index)
  const spawned = spawnLocked(options.sandbox, options.program, [String(options.gateways)], gateways)
  const { child, exited } = spawned
  for (const gateway of gateways) gateway.destroy()
  const lastLines = keepLastLines(child)
  const { link, control } = controlLink<WorkerCalls, PoolCallsOfWorker>((on) => new Link(child.stdio[3] as Socket, on), options.handlers, {
    frame: options.onFrame,
    // It ends with its link, and is then known by how it ended. One that does not is not what it was: what it sent cannot be read.
    close: () => void setTimeout(() => gone || worker.kill(), LINK_GRACE_MS).unref()
  })
  let gone = false
  let killed = false
  let memory: MemoryWatch | null = null
  let pid = 0
  const worker: WorkerProcess = {
    index: options.index,
    get pid() {
      return pid
    },
    startedAt: Date.now(),
    get rssBytes() {
      return memory?.rssBytes ?? 0
    },
    control,
    apps: new Set(),
    arriving: new Set(),
    running: new Set(),
    take: (app) => {
      worker.apps.add(app)
      worker.wake()
    },
    wake: () => memory?.wake(),
    send: (head, payload) => link.send(head, payload),
    flush: () => link.flush(),
    kill: () => {
      killed ||= !gone
      spawned.kill()
    },
    get killed() {
      return killed
    },
    get alive() {
      return !gone && !link.closed
    }
  }
  sendSnapshot(link, options.snapshot)
  const hello = control.call('hello', { version: PROTOCOL_VERSION, turns: options.turns }, START_TIMEOUT_MS)
  // Once it answers there is a process to be found, and none but ours in it.
  const started = hello.then(() => void (pid = spawned.pid()))
  const failed = await Promise.race([started.then(() => null, (error: Error) => error.message), exited.then(({ reason }) => reason)])
  if (failed !== null) {
    worker.kill()
    throw new Error(`worker ${options.index} did not start: ${failed}${lastLines()}`)
  }
  memory = watchMemory(worker, options.memory)
  void exited.then(({ reason, signal }) => {
    gone = true
    memory.stop()
    link.destroy()
    options.onExit(`${reason}${lastLines()}`, signal)
  })
  return worker
}

/** With all gateways or with none: a connection that no worker gets would stay open at both ends. @throws Error */
async function connectGateways(count: number, worker: number): Promise<Socket[]> {
  const tries = await Promise.allSettled(Array.from({ length: count }, (_, gateway) => connectGateway(gateway, worker)))
  const sockets = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = tries.find((one) => one.status === 'rejected')
  if (failed === undefined) return sockets
  for (const socket of sockets) socket.destroy()
  throw new Error(`worker ${worker} did not start: ${(failed.reason as Error).message}`)
}

/** The connection is not read here: every byte that comes is for the worker. */
async function connectGateway(gateway: number, worker: number): Promise<Socket> {
  const socket = connect(DATA.gatewaySocket(gateway))
  socket.pause()
  const hello = encodeFrame(
    { type: FrameType.NOTE, flags: 0, gateway, app: 0, generation: 0, connection: 0, sequence: 0 },
    Buffer.from(JSON.stringify({ method: 'hello', params: { worker } }))
  )
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('connect', () => socket.write(hello, (error) => (error ? reject(error) : resolve())))
  })
  return socket
}

/**
 * V8 compiles what runs often in batches of at least so many bytes. With its default (4096) one is full in the first turn of nearly every
 * isolate, with what ran while that began, and takes a third of that turn. And on the thread that runs it: compiled beside it, most of it was not used
 * by an isolate whose turns are short (500 apps with a busy connection each: 6 % fewer messages).
 */
const BASELINE = ['--baseline-batch-compilation-threshold=24576', '--no-concurrent-sparkplug']

/**
 * MiB for new objects. isolated-vm gives an isolate about half of one, so that a busy app collects them eight times as often (measured: 11 % of what a
 * worker does with the handler of the example, 5 % with 2; with messages of 4 KiB, whose texts are new objects, 4 give a twelfth more of them in a second than 2).
 * V8 takes it only as it is needed. And the worker's own never grow to 16.
 */
const NEW_OBJECTS = '--max-semi-space-size=4'

/**
 * A process that can do nothing but what its open descriptors let it: a worker runs strangers' code. No environment, no files but
 * isolated-vm's, no network, no child processes, no worker threads, no signals but to itself. That is Node's own permission model,
 * which binds JavaScript; the sandbox around it binds the whole process.
 */
export function spawnLocked(sandbox: Sandbox, program: string, args: string[], links: (Socket | 'pipe')[]): Spawned {
  // The permission model of Node 26.10 does not know of node:sqlite, which writes any file (test/locked).
  const flags = ['--no-node-snapshot', ...BASELINE, NEW_OBJECTS, '--permission', '--no-experimental-sqlite', '--allow-addons', ...READABLE.map((path) => `--allow-fs-read=${path}`), '--disable-warning=SecurityWarning', '--title=socklet-worker', '--input-type=module']
  return spawnIn(sandbox, [...flags, '-', ...args], ['pipe', ...links], program)
}

function keepLastLines(child: ChildProcess): () => string {
  let lines: string[] = []
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    lines = [...lines, ...text.slice(-8192).split('\n')].slice(-STDERR_LINES)
  })
  return () => {
    const text = lines.join('\n').trim()
    return text === '' ? '' : `\n${text}`
  }
}

function sendSnapshot(link: Link, snapshot: Uint8Array): void {
  link.send({ type: FrameType.BLOB, flags: 0, gateway: 0, app: 0, generation: 0, connection: 0, sequence: 0 }, withHead('snapshot', snapshot))
}
