import { EventEmitter } from 'events'
// Makes the emitter of the package as Node's is now.
// oxlint-disable-next-line import/no-unassigned-import
import './globals/node/events.ts'
import { define } from './globals/define.ts'
import { bareObject, reflectApply } from './primordials.ts'
import { failed } from './tasks.ts'

/** Not by the emitter's own constructor, as with sockets: a function may have replaced what that calls. */
const Emitter = function () {} as unknown as new () => EventEmitter
Emitter.prototype = EventEmitter.prototype

const { emit } = EventEmitter.prototype

export let closeMessage: (message: HttpMessage) => void

/** What `ctx.request` and `ctx.response` have in common: emitters, as streams of Node's are, that are closed once. */
export class HttpMessage extends Emitter {
  #closed = false

  constructor() {
    super()
    define(this, '_events', bareObject())
    define(this, '_eventsCount', 0)
    define(this, '_maxListeners', undefined)
  }

  /** The client has left, or has the whole answer. */
  get closed(): boolean {
    return this.#closed
  }
  get destroyed(): boolean {
    return this.#closed
  }

  static {
    closeMessage = (message) => {
      if (message.#closed) return
      message.#closed = true
      tell(message, 'close')
    }
  }
}

/** One of its listeners that throws ends with a line in the log. */
export function tell(message: HttpMessage, type: string): void {
  try {
    reflectApply(emit, message, [type])
  } catch (error) {
    failed(error)
  }
}
