import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { randomUUID } from 'node:crypto'
import { WebSocketServer, type WebSocket } from 'ws'
import { Compiler } from '../../apps/console/src/publish/compiler.ts'
import type { Backend } from './backend.ts'

type Main = (ctx: object) => unknown
type Params = (args: unknown[]) => unknown

const require = createRequire(import.meta.url)

/** `ctx.params` by event of the socket, as laf makes it. */
const EVENTS: Record<string, Params> = {
  message: ([data, isBinary]) => ({ data, isBinary }),
  close: ([code, reason]) => ({ code, reason }),
  error: ([error]) => error
}

/** Functions on a real `ws` server, in this process, dispatched to as laf does. */
export async function startWs(): Promise<Backend> {
  const compiler = new Compiler()
  return {
    name: 'ws',
    run: async (source) => {
      const { code } = await compiler.compile('__websocket__', source)
      const clients = new Set<WebSocket>()
      const main = load(code, { sockets: clients, shared: new Map() })
      // The options of laf's server, but for the tracking, which adds a listener that functions can see.
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false, maxPayload: 100 * 1024 * 1024, clientTracking: false })
      server.on('connection', (socket, request) => {
        clients.add(socket)
        dispatch(socket, main, clients)
        call(main, { ...context(socket, 'connection', null), url: request.url, headers: request.headers })
      })
      await once(server, 'listening')
      return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, logs: async () => [], stop: () => stop(server, clients) }
    },
    close: () => compiler.stop()
  }
}

/**
 * The handler hears of an event before the listeners do. It hears by way of `emit`, where laf has a listener of its own, because
 * a function should find the listeners that a bare `ws` socket has: none.
 */
function dispatch(socket: WebSocket, main: Main, clients: Set<WebSocket>): void {
  const emit = socket.emit.bind(socket)
  const value = (name: string, ...args: unknown[]): boolean => {
    const params = EVENTS[name]
    if (params === undefined) return emit(name, ...args)
    if (name === 'close') clients.delete(socket)
    // As an emitter has it, whose first listener is the handler: it may add and remove listeners, for the next event.
    const listeners = socket.rawListeners(name)
    call(main, context(socket, name, params(args)))
    for (const listener of listeners) Reflect.apply(listener, socket, args)
    return true
  }
  Object.defineProperty(socket, 'emit', { value, enumerable: false })
}

function context(socket: WebSocket, event: string, params: unknown): object {
  return { params, method: `WebSocket:${event}`, requestId: randomUUID(), socket, __function_name: '__websocket__', url: undefined, headers: undefined }
}

function call(main: Main, ctx: object): void {
  void (async () => main(ctx))().catch(() => {})
}

function load(code: string, cloud: object): Main {
  const module = { exports: {} as { main: Main } }
  const find = (name: string): unknown => (name === '@lafjs/cloud' ? { __esModule: true, default: cloud } : require(name))
  // oxlint-disable-next-line typescript/no-implied-eval -- as a runtime of functions does
  new Function('exports', 'require', 'module', code)(module.exports, find, module)
  return module.exports.main
}

async function stop(server: WebSocketServer, clients: Set<WebSocket>): Promise<void> {
  for (const socket of clients) socket.terminate()
  await new Promise((resolve) => server.close(resolve))
}
