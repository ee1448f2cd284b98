/**
 * Writes the V8 snapshot of the guest to standard output. A process of its own: a guest that cannot be
 * snapshotted makes V8 abort.
 */
import ivm from 'isolated-vm'
import { bundleGuest } from './bundle.ts'

const snapshot = ivm.Isolate.createSnapshot([{ code: await bundleGuest(), filename: 'socklet:guest' }])
process.stdout.write(new Uint8Array(snapshot.copy()))
