import { flushCompileCache } from 'node:module'
import { Socket } from 'node:net'
import { controlLink, type CallHandlers, type Control } from './control.ts'
import { Link } from './link.ts'
import type { ChildCalls, PlatformState, SupervisorCalls } from './calls.ts'

/** The descriptor on which a child of the supervisor finds its link. */
export const SUPERVISOR_FD = 3
/** Set in the environment of a child that the supervisor started. */
export const SUPERVISED_ENV = 'SOCKLET_SUPERVISED'

const STOP_GRACE_MS = 10_000

export interface ChildOptions {
  /** Ends the work in order. The process exits when it has settled, or after the grace time. */
  stop: (graceMs: number) => Promise<void>
  /** The whole platform works, or has ceased to. A process that was started alone is never told. */
  onPlatform?: (state: PlatformState) => void
}

export interface Child {
  /** Tells the supervisor that this process does its work. */
  ready(port?: number): void
}

/**
 * What every process under the supervisor does alike: it stops when told to by its link or by a signal,
 * and exits when its parent is gone, so that no orphan stays.
 */
export function runAsChild(options: ChildOptions): Child {
  let stopping: Promise<void> | undefined
  const stop = (graceMs: number): Promise<void> => {
    stopping ??= Promise.race([options.stop(graceMs), new Promise<void>((done) => setTimeout(done, graceMs).unref())])
    return stopping
  }
  const onSignal = (): void => {
    void stop(STOP_GRACE_MS).finally(() => process.exit(0))
  }
  if (process.env[SUPERVISED_ENV] === undefined) {
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
    return { ready: () => {} }
  }
  // A terminal sends Ctrl-C to the whole group: the supervisor decides what it means for the children.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {})
  const control = supervisorLink(stop, options.onPlatform)
  return {
    ready: (port) => {
      control.note('ready', port === undefined ? {} : { port })
      // It would be written when this process ends in order, which may never be.
      setImmediate(flushCompileCache)
    }
  }
}

function supervisorLink(stop: (graceMs: number) => Promise<void>, onPlatform?: (state: PlatformState) => void): Control<SupervisorCalls, ChildCalls> {
  const socket = new Socket({ fd: SUPERVISOR_FD, readable: true, writable: true })
  const handlers: CallHandlers<ChildCalls> = {
    stop: async ({ graceMs }) => {
      try {
        await stop(graceMs)
      } finally {
        setImmediate(() => link.onceDrained(() => process.exit(0)))
      }
      return null
    },
    platform: (state) => {
      onPlatform?.(state)
      return null
    }
  }
  const { link, control } = controlLink<SupervisorCalls, ChildCalls>((on) => new Link(socket, on), handlers, { close: () => process.exit(1) })
  return control
}
