import { availableParallelism } from 'node:os'

/**
 * Threads of isolated-vm in a process: one more than there are cores (its `scheduler.cc`). For what runs on top of that it makes a new one each time.
 * So a turn that does not end leaves as many as there are cores to others.
 */
export const THREADS = availableParallelism() + 1
