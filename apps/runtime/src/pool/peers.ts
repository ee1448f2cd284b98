import { rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { DATA } from '@socklet/config'
import {
  CallError,
  LOG_PAGE_CHARACTERS,
  Link,
  PROTOCOL_VERSION,
  controlLink,
  listen,
  takePage,
  type CallHandlers,
  type CallMap,
  type ConsoleCallsOfPool,
  type Control,
  type GatewayCalls,
  type LogEntry,
  type PoolCallsOfConsole,
  type PoolCallsOfGateway
} from '@socklet/protocol'
import { consoleCalls, gatewayCalls, type PoolParts } from './calls.ts'

type Hello = { gateway?: number; version: number; pid?: number }
type Handlers = Omit<CallHandlers<PoolCallsOfConsole>, 'hello'> & Omit<CallHandlers<PoolCallsOfGateway>, 'hello'> & { hello: (params: Hello) => null }

/** A console that is connected, and the logs that it follows. */
export interface Console {
  control: Control<ConsoleCallsOfPool, CallMap>
  pid: number
  tails: Set<string>
}

export interface PeersOptions {
  parts: () => PoolParts
  consoles: Set<Console>
  /** Gateways have come or gone. */
  onGateways: () => void
  /** A line for the operator. */
  report: (message: string) => void
}

/** Takes the links of gateways and consoles on the pool's socket. */
export async function listenForPeers(options: PeersOptions): Promise<Server> {
  rmSync(DATA.poolSocket, { force: true })
  const server = createServer((socket) => acceptPeer(socket, options))
  await listen(server, { path: DATA.poolSocket }, (error) => options.report(`accepting a gateway or a console: ${error.message}`))
  return server
}

function acceptPeer(socket: Socket, { parts, consoles, onGateways }: PeersOptions): void {
  const { gateways, changes } = parts()
  let leave = (): void => {}
  const become = (params: Hello): void => {
    if (params.gateway === undefined) {
      const console: Console = { control: control as unknown as Console['control'], pid: params.pid ?? 0, tails: peer.tails }
      consoles.add(console)
      leave = () => consoles.delete(console)
      changes.catchUp()
    } else {
      const index = params.gateway
      const gateway = control as unknown as Control<GatewayCalls, CallMap>
      gateways.add(index, gateway, params.pid ?? 0)
      leave = () => {
        gateways.remove(index, gateway)
        onGateways()
      }
      onGateways()
    }
  }
  const peer = { tails: new Set<string>() }
  const handlers: Handlers = {
    ...gatewayCalls(parts()),
    ...consoleCalls(parts()),
    hello: (params) => {
      if (params.version !== PROTOCOL_VERSION) throw new CallError('version', `the pool speaks version ${PROTOCOL_VERSION}, not ${params.version}`)
      become(params)
      return null
    },
    tail: ({ appid, off }) => {
      if (off === true) peer.tails.delete(appid)
      else peer.tails.add(appid)
      return null
    }
  }
  const { control } = controlLink<CallMap, CallMap>((on) => new Link(socket, on), handlers as unknown as CallHandlers<CallMap>, { close: () => leave() })
}

/** Brings new log entries to the consoles that follow them, as many at a time as a frame holds for sure. */
export function tellConsoles(consoles: Set<Console>, appid: string, entries: LogEntry[]): void {
  const following = [...consoles].filter(({ tails }) => tails.has(appid))
  if (following.length === 0) return
  for (let rest = entries; rest.length > 0;) {
    const { items } = takePage(rest, { items: rest.length, characters: LOG_PAGE_CHARACTERS })
    for (const { control } of following) control.note('logged', { appid, entries: items })
    rest = rest.slice(items.length)
  }
}
