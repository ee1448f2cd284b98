/**
 * Writes to standard output what isolates are made of: a line of JSON with the modules that only some apps get and the
 * program of workers, then the V8 snapshot of the guest. A process of its own: a guest that cannot be snapshotted makes V8 abort.
 */
import ivm from 'isolated-vm'
import { bundleGuest, bundleModules, bundleWorker } from './bundle.ts'
import { warmUpScript } from './warm-up.ts'

const [code, modules, worker] = await Promise.all([bundleGuest(), bundleModules(), bundleWorker()])
const snapshot = ivm.Isolate.createSnapshot([{ code, filename: 'socklet:guest' }], warmUpScript())
process.stdout.write(`${JSON.stringify({ modules, worker })}\n`)
process.stdout.write(new Uint8Array(snapshot.copy()))
