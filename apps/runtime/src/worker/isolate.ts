import ivm from 'isolated-vm'
import { randomBytes } from 'node:crypto'
import { functionCode, splitHead, type AppRelease } from '@socklet/protocol'
import type { GuestEntries, GuestRelease } from '../turn-layout.ts'

/** The most that one call for random bytes gives; the guest takes 4 KiB at a time. */
const MAX_RANDOM_BYTES = 65_536

type Boot = ivm.Reference<(random: ivm.Callback, chunks: ivm.Copy<string>) => GuestEntries>

/** What isolates start from. All of them share it, each would keep a copy of its own otherwise. */
export interface Snapshot {
  /** V8's snapshot of the guest. */
  heap: ivm.ExternalCopy<ArrayBuffer>
  /** What of the guest's code is not in it (snapshot/chunks.ts). */
  chunks: ivm.ExternalCopy<string>
}

/** Takes a copy of the bytes, which snapshot/main.ts has made. */
export function openSnapshot(bytes: Uint8Array): Snapshot {
  const { head, rest } = splitHead(bytes)
  return { heap: new ivm.ExternalCopy(new Uint8Array(rest).buffer), chunks: new ivm.ExternalCopy(head.toString('latin1')) }
}

/** What one turn takes into the isolate, see turn-layout.ts. */
export interface TurnInput {
  /** Given away: the bytes move into the isolate and are gone here. Undefined if `latin1` is all there is. */
  bytes: ArrayBuffer | undefined
  length: number
  latin1: string | undefined
  texts: string[] | undefined
}

/** The isolate of one app, started. A turn, and all that returns a promise, may fail because the isolate is gone. */
export interface Isolate {
  /** The result as turn-layout.ts says, unchecked: tenant code may have made it. Rejects on an unhandled rejection in the guest, see `guestError`. */
  turn(acknowledged: number, input: TurnInput): Promise<unknown>
  /** The same on the thread that calls it, which does nothing else until the turn is over. Throws where `turn` rejects. */
  turnHere(acknowledged: number, input: TurnInput): unknown
  /** All of the result of the last turn. */
  more(): Promise<unknown>
  /** What is kept of `cloud.shared`. '' or what of it could not be read. */
  restore(records: ArrayBuffer): Promise<unknown>
  /** The result of a turn in which nothing happens but that what has changed is written, and before that this key removed. */
  rest(acknowledged: number, forget?: ArrayBuffer): Promise<unknown>
  /** @throws Error if the release cannot be loaded */
  load(release: AppRelease): Promise<void>
  /** '' or, as JSON, what this function of the release throws while it loads. */
  trial(name: string): Promise<unknown>
  dispose(): void
  readonly disposed: boolean
  /** CPU milliseconds since its start, the running turn included; 0 once it is gone. */
  readonly cpuMs: number
  heapBytes(): Promise<number>
}

export interface IsolateOptions {
  snapshot: Snapshot
  memoryMiB: number
  /** V8 gave up on the isolate's heap in a way after which the process cannot be trusted. */
  onCatastrophe: (message: string) => void
}

const COPIED = { result: { copy: true } } as const

/**
 * Units from which isolated-vm keeps a string outside of the isolate's heap. V8 has such a string among its old objects: what was delivered would pile up
 * until it is as much as the app's whole heap may be, and then isolated-vm has all of that heap collected, twice, its compiled code with it.
 * In a list it is a new object, and of those the next small collection takes all that nobody holds.
 */
const OUTSIDE_FROM = 1024

type TurnArguments = [number, ivm.Copy<ArrayBuffer> | undefined, number, string | ivm.Copy<string[]> | undefined, ivm.Copy<string[]> | undefined]

function argumentsOf(acknowledged: number, { bytes, length, latin1, texts }: TurnInput): TurnArguments {
  return [acknowledged, bytes === undefined ? undefined : moved(bytes), length, inHeap(latin1), texts === undefined ? undefined : copied(texts)]
}

/** A new isolate from the snapshot of the guest, which does not know its app yet. `onCreated` gives the means to end it while it still starts. */
export async function startIsolate(options: IsolateOptions, onCreated: (dispose: () => void) => void): Promise<Isolate> {
  const isolate = new ivm.Isolate({
    memoryLimit: options.memoryMiB,
    snapshot: options.snapshot.heap,
    onCatastrophicError: options.onCatastrophe
  })
  const dispose = (): void => {
    if (!isolate.isDisposed) isolate.dispose()
  }
  onCreated(dispose)
  const context = await isolate.createContext()
  const boot = (await context.global.get('__socklet_boot', { reference: true })) as Boot
  const entries = await boot.apply(undefined, [new ivm.Callback(random), options.snapshot.chunks.copyInto()], { result: { reference: true } }) as ivm.Reference<GuestEntries>
  const get = <Name extends keyof GuestEntries>(name: Name): Promise<ivm.Reference<GuestEntries[Name]>> => entries.get(name, { reference: true })
  const [turn, more, load, restore, rest, trial] = await Promise.all([get('turn'), get('more'), get('load'), get('restore'), get('rest'), get('trial')])
  return {
    // No `timeout`: its expired timers overflow a stack (isolated-vm #572). The turn is watched from outside.
    turn: (acknowledged, input) => turn.apply(undefined, argumentsOf(acknowledged, input), COPIED),
    turnHere: (acknowledged, input) => turn.applySync(undefined, argumentsOf(acknowledged, input), COPIED),
    more: async () => await more.apply(undefined, [], { result: { copy: true } }),
    restore: (records) => restore.apply(undefined, [moved(records)]),
    rest: (acknowledged, forget) => rest.apply(undefined, [acknowledged, forget === undefined ? undefined : copied(forget)], { result: { copy: true } }),
    load: async ({ functions, ...others }) => {
      const release: GuestRelease = { ...others, functions: functions.map(({ name, version }) => ({ name, version })) }
      // Each a string of its own: V8 uses one that comes from outside as it is, and the isolate has no other copy of it.
      const problem = await load.apply(undefined, [JSON.stringify(release), ...functions.map(({ name, code }) => functionCode(name, code))])
      if (problem !== '') throw new Error(`the functions cannot be loaded: ${String(problem)}`)
    },
    trial: (name) => trial.apply(undefined, [name]),
    dispose,
    get disposed() {
      return isolate.isDisposed
    },
    get cpuMs() {
      try {
        return Number(isolate.cpuTime / 1_000n) / 1_000
      } catch {
        return 0
      }
    },
    heapBytes: async () => {
      const { used_heap_size, externally_allocated_size } = await isolate.getHeapStatistics()
      return used_heap_size + externally_allocated_size
    }
  }
}

/**
 * An unhandled rejection comes with the stack of this process behind that of the isolate, and instead of its own text with
 * isolated-vm's if it is no Error. It goes to the tenant's log: what is ours is no business of theirs.
 */
export function guestError(error: unknown): Error {
  // A primitive comes as it is.
  const text = error instanceof Error ? String(error.stack ?? error.message) : String(error)
  const boundary = text.indexOf('\n    at (<isolated-vm boundary>)')
  const clean = new Error(error instanceof Error ? error.message : text)
  clean.stack = text.includes('within isolated-vm') ? 'a value that is no Error' : boundary === -1 ? clean.message : text.slice(0, boundary)
  return clean
}

function inHeap(text: string | undefined): string | ivm.Copy<string[]> | undefined {
  return text === undefined || text.length < OUTSIDE_FROM ? text : copied([text])
}

/** The bytes go into the isolate without being copied. */
function moved(bytes: ArrayBuffer): ivm.Copy<ArrayBuffer> {
  return new ivm.ExternalCopy(bytes, { transferOut: true }).copyInto({ release: true, transferIn: true })
}

function copied<T>(value: T): ivm.Copy<T> {
  return new ivm.ExternalCopy(value).copyInto({ release: true })
}

/** The only thing that the guest can call. What it gives is checked, and so much at a time only. */
function random(count: unknown): ArrayBuffer {
  const wanted = typeof count === 'number' && count > 0 && count <= MAX_RANDOM_BYTES ? Math.trunc(count) : 0
  const bytes = randomBytes(wanted)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + wanted) as ArrayBuffer
}
