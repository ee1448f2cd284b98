/** The other process of floor-main.ts. */
import ivm from 'isolated-vm'
import { Socket } from 'node:net'
import { guestOf } from './floor-guests.ts'
import { Pieces } from './floor-pieces.ts'

process.stdin.resume().on('end', () => process.exit(0))
process.on('SIGINT', () => {})

interface Isolate {
  /** One that nobody holds may be collected. */
  isolate: ivm.Isolate
  entry: ivm.Reference<(batch: ArrayBuffer) => ArrayBuffer>
  waiting: Buffer[]
}

const isOneThread = process.argv.includes('--one-thread')
const link = new Socket({ fd: 3 })
const pieces = new Pieces()
const isolates = new Map<number, Promise<Isolate>>()

async function makeIsolate(number: number): Promise<Isolate> {
  const isolate = new ivm.Isolate({ memoryLimit: 128 })
  const context = await isolate.createContext()
  return { isolate, entry: (await context.eval(guestOf(number), { reference: true })) as Isolate['entry'], waiting: [] }
}

const ready = new Map<number, Isolate>()
/** One after the other: isolated-vm does not bear hundreds at once. */
let lastMade: Promise<unknown> = Promise.resolve()

function afterLast(number: number): Promise<Isolate> {
  const made = lastMade.then(() => makeIsolate(number))
  lastMade = made
  return made
}

link.on('data', (chunk: Buffer) => {
  for (const { isolate: number, whole } of pieces.add(chunk)) {
    const isolate = ready.get(number)
    if (isolate !== undefined) add(isolate, whole)
    else {
      const made = isolates.get(number) ?? afterLast(number)
      isolates.set(number, made)
      void made.then((one) => {
        ready.set(number, one)
        add(one, whole)
      })
    }
  }
})
link.on('error', () => {}).on('close', () => process.exit(0))

function add(isolate: Isolate, event: Buffer): void {
  if (isolate.waiting.push(event) === 1) queueMicrotask(() => void run(isolate))
}

const COPIED = { arguments: { copy: true }, result: { copy: true } } as const

/** As long as something waits, all of it is one entry: for one isolate alone on this thread, as the platform does it, for several on threads of isolated-vm, unless all are to share this one. */
async function run({ entry, waiting }: Isolate): Promise<void> {
  while (waiting.length > 0) {
    const { length } = waiting
    const batch = new Uint8Array(Buffer.concat(waiting)).buffer
    const answer = isOneThread || ready.size === 1 ? entry.applySync(undefined, [batch], COPIED) : await entry.apply(undefined, [batch], COPIED)
    link.write(Buffer.from(answer))
    waiting.splice(0, length)
  }
}
