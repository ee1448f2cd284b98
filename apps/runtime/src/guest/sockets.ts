import { NativeMap, mapDelete, mapGet, mapSet, setAdd, setDelete } from './primordials.ts'
import type { WebSocket } from './socket.ts'

export let addSocket: (sockets: Sockets, socket: WebSocket) => void
export let removeSocket: (sockets: Sockets, socket: WebSocket) => void

/** The app's open sockets, as `cloud.sockets`: a live Set. */
export class Sockets extends Set<WebSocket> {
  readonly #byId = new NativeMap<string, WebSocket>()

  static {
    addSocket = (sockets, socket) => {
      setAdd(sockets, socket)
      mapSet(sockets.#byId, socket.id, socket)
    }
    removeSocket = (sockets, socket) => {
      setDelete(sockets, socket)
      mapDelete(sockets.#byId, socket.id)
    }
  }

  /** The open socket with this id. */
  get(id: string): WebSocket | undefined {
    return mapGet(this.#byId, id)
  }
}
