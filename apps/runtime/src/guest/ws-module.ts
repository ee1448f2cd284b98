import type { Duplex, DuplexOptions } from 'readable-stream'
import type { PlatformModules } from './modules.ts'
import { NativeError, NativeTypeError, objectHasOwn } from './primordials.ts'
import { isSocket, WebSocket } from './socket.ts'
import { createWebSocketStream as toStream } from './websocket-stream.ts'

type StreamModule = { Duplex: new (options: DuplexOptions) => Duplex }

/** What `import WebSocket, { createWebSocketStream } from 'ws'` and `require('ws')` give. */
export function wsModule(platform: PlatformModules): object {
  const createWebSocketStream = (socket: unknown, options?: DuplexOptions): Duplex => {
    if (!isSocket(socket)) throw new NativeTypeError('createWebSocketStream takes a socket of this app, as ctx.socket')
    // It comes with the release of apps that name it (pool/app.ts): to have it in every isolate would cost each 270 KB.
    if (!objectHasOwn(platform, 'stream')) throw new NativeError("createWebSocketStream needs the module 'stream', which apps have whose code names it")
    return toStream((platform['stream']!() as StreamModule).Duplex, socket, options)
  }
  return Object.assign(WebSocket, { WebSocket, default: WebSocket, createWebSocketStream, WebSocketServer, Server: WebSocketServer })
}

function WebSocketServer(): never {
  throw new NativeTypeError('a function cannot listen; clients connect to its app, and __websocket__ is called')
}
