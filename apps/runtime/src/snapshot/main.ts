/**
 * Writes to standard output what isolates are made of: a line of JSON with the modules that only some apps get and the
 * program of workers, then the V8 snapshot of the guest behind the text of its chunks. A process of its own: a guest that cannot be snapshotted makes V8 abort.
 */
import ivm from 'isolated-vm'
import { withHead } from '@socklet/protocol'
import { bundleModules, bundleWorker } from './bundle.ts'
import { bundleGuest } from './chunks.ts'
import { warmUpScript } from './warm-up.ts'

const [{ script, chunks }, modules, worker] = await Promise.all([bundleGuest(), bundleModules(), bundleWorker()])
const snapshot = ivm.Isolate.createSnapshot([{ code: script, filename: 'socklet:guest' }], warmUpScript())
process.stdout.write(`${JSON.stringify({ modules, worker })}\n`)
process.stdout.write(withHead(chunks, new Uint8Array(snapshot.copy())))
