import type { ElsewhereAttack } from './attack.ts'

/** Attacks whose tests need what the whole platform cannot be given, or stand where the thing itself is tested. */
export const elsewhere: ElsewhereAttack[] = [
  { name: 'Code that watches the guest through replaced built-ins', layer: 'guest', holds: 'No frame, internal array or buffer of a turn is ever seen by a function of the tenant.', tests: ['apps/runtime/test/worker/hostile.test.ts'] },
  { name: 'Results of a turn that no guest makes', layer: 'worker', holds: 'They are refused before anything of them is sent on.', tests: ['apps/runtime/test/worker/hostile.test.ts'] },
  { name: 'Bytes of stored values that nobody encoded', layer: 'guest', holds: 'They are a value or a RangeError, soon, and take no memory that they only announce.', tests: ['apps/runtime/test/values/hostile.test.ts', 'packages/shared/test/records.test.ts'] },
  { name: 'A worker that is taken over: other apps’ numbers, old generations, forged ids, floods of acknowledgements, broken frames', layer: 'gateway', holds: 'Commands reach connections of apps that the worker holds now; what is no command ends its link.', tests: ['apps/gateway/test/hostile.test.ts', 'apps/gateway/test/fuzz.test.ts'] },
  { name: 'A worker that is taken over: shared values of apps that it does not hold', layer: 'pool', holds: 'Neither another app’s values nor those of an earlier life are written, and what is too much is refused.', tests: ['apps/runtime/test/locked/taken-over.test.ts'] },
  { name: 'Code in the worker’s own Node context', layer: 'process', holds: 'Files, databases, processes, threads, network, environment, inspector and signals are out of its reach.', tests: ['apps/runtime/test/locked/locked.test.ts'] },
  { name: 'Native code in a worker, where that runs under bwrap', layer: 'process', holds: 'The data folder, other files, other processes and the network are out of its reach, and nothing can be written.', tests: ['apps/runtime/test/locked/locked.test.ts'] },
  { name: 'Large arrays, which isolated-vm’s limit of memory lets pass', layer: 'pool', holds: 'A worker whose memory is above its bound is killed and its apps move; whoever was in a turn is named, counted and alone from then on.', tests: ['test/worker-memory.test.ts'] },
  { name: 'A turn without end in an app that was quick for long, and has its worker for itself', layer: 'pool', holds: 'Nobody in that process can end the turn: others that are to come there get another worker at once, and the pool kills this one.', tests: ['test/alone.test.ts', 'apps/runtime/test/worker/own-thread.test.ts'] },
  { name: 'Bytes on a link that are no frames', layer: 'pool', holds: 'They end the link, without a crash, a hang or a large allocation.', tests: ['packages/protocol/test/frames.test.ts', 'packages/protocol/test/fuzz.test.ts'] },
  { name: 'Payloads of clients that are random bytes', layer: 'guest', holds: 'The app goes on, and each event is acknowledged.', tests: ['apps/runtime/test/worker/fuzz.test.ts'] },
  { name: 'Any JSON at any route of the admin REST', layer: 'console', holds: 'The answer is one that the route lists, never 500.', tests: ['apps/console/test/fuzz.test.ts'] },
  { name: 'Outgoing requests by redirects and by names that change', layer: 'pool', holds: 'Each connection goes to an address that was checked for it.', tests: ['apps/runtime/test/fetch/guard.test.ts', 'apps/runtime/test/fetch/addresses.test.ts'] },
  { name: 'Compression bombs', layer: 'gateway', holds: 'Closed with 1009 before more is inflated than a message may have.', tests: ['test/limits/compression.test.ts'] },
  { name: 'Slow readers, alone and together', layer: 'gateway', holds: 'Closed with 1013 at the limits; memory stays.', tests: ['test/limits/sending.test.ts'] },
  { name: 'Slow handshakes, endless headers, crowds of connections', layer: 'gateway', holds: 'Ended after their time, refused above the limits; memory stays.', tests: ['test/limits/connecting.test.ts', 'test/limits/descriptors.test.ts'] },
  { name: 'Messages too large, too many, octet by octet', layer: 'gateway', holds: 'Reading pauses, then 1008 or 1009; others are read meanwhile.', tests: ['test/limits/reading.test.ts'] },
  { name: 'Code that is published to do harm while it is tried', layer: 'pool', holds: 'It runs where nothing comes of what it does; what does not load is refused, the old version goes on.', tests: ['test/publishing/refused.test.ts'] },
  { name: 'Bodies that are announced and do not come, and publishes without end', layer: 'console', holds: 'The operator suspends and deletes the app all the same, others publish, and what has stopped coming is given up.', tests: ['apps/console/test/http.test.ts', 'apps/console/test/functions.test.ts'] },
  { name: 'Requests to the console that are no HTTP, and its page in a frame', layer: 'console', holds: 'Refused; answers cannot be framed, sniffed or stored.', tests: ['apps/console/test/http.test.ts'] }
]
