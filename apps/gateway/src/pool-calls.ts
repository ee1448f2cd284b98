import { CONNECTIONS_PAGE_CHARACTERS, takePage, type AppTraffic, type CallHandlers, type ConnectionInfo, type GatewayCalls } from '@socklet/protocol'
import { clientAddress } from './address.ts'
import type { App } from './app.ts'
import { sendNow } from './commands.ts'
import type { Connection } from './connection.ts'
import type { Gateway } from './context.ts'
import { placed, strangerPlaced } from './delivery.ts'
import { forgetPeers } from './forget.ts'
import { membersOf } from './rooms.ts'

/** What a gateway answers to its pool. The gateway is given as a function, because it holds the link on which these arrive. */
export function poolCalls(gateway: () => Gateway): CallHandlers<GatewayCalls> {
  const appOf = (number: number): App | undefined => gateway().apps.byNumber(number)
  const openOf = (app: number, id: string): Connection | undefined => findOpen(appOf(app), id)
  return {
    route({ appid, route }) {
      gateway().apps.applyRoute(appid, route)
      return null
    },
    placed({ app: number, placement, loss }) {
      const app = appOf(number)
      if (app !== undefined) placed(app, placement, loss)
      else {
        strangerPlaced(gateway(), number, placement)
        gateway().apps.hear(number, placement)
      }
      return null
    },
    failed({ app: number }) {
      const app = appOf(number)
      if (app !== undefined) forgetPeers(app, 'failed')
      return null
    },
    connections({ app: number, limit, after, room }) {
      return pageOf(appOf(number), limit, after, room)
    },
    connection({ app, id }) {
      const connection = openOf(app, id)
      return connection === undefined ? null : infoOf(connection)
    },
    closeConnection({ app, id, code, reason }) {
      const connection = openOf(app, id)
      connection?.close(code, Buffer.from(reason))
      return connection !== undefined
    },
    sendTo({ app, id, data, binary }) {
      const connection = openOf(app, id)
      if (connection !== undefined) sendNow(connection, Buffer.from(data, binary ? 'base64' : 'utf8'), binary)
      return connection !== undefined
    },
    traffic({ app: number }) {
      const apps = number === undefined ? [...gateway().apps.all()] : [appOf(number)].filter((app) => app !== undefined)
      return Object.fromEntries(apps.map((app) => [app.number, trafficOf(app)]))
    }
  }
}

function findOpen(app: App | undefined, id: string): Connection | undefined {
  if (app !== undefined) for (const connection of app.connections.values()) if (connection.id === id && connection.isOpen) return connection
  return undefined
}

function pageOf(app: App | undefined, limit: number, after: number, room: string | undefined): { items: ConnectionInfo[]; next?: number } {
  if (app === undefined) return { items: [] }
  // They stand in the order of their numbers but for the one time in four billion that numbers begin anew.
  const all = room === undefined ? app.connections.values() : membersOf(app, room)
  const rest = [...all].filter(({ number, isOpen }) => number > after && isOpen).toSorted((a, b) => a.number - b.number)
  const { items, more } = takePage(infosOf(rest), { items: limit, characters: CONNECTIONS_PAGE_CHARACTERS })
  return more ? { items, next: rest[items.length - 1]?.number ?? after } : { items }
}

/** One after the other, so that no more are made than a page holds. */
function* infosOf(connections: Connection[]): Generator<ConnectionInfo> {
  for (const connection of connections) yield infoOf(connection)
}

function infoOf(connection: Connection): ConnectionInfo {
  const { id, since, messagesIn, messagesOut, bytesIn, bytesOut } = connection
  const head = connection.head()
  return {
    id,
    since: new Date(since).toISOString(),
    address: clientAddress(head.headers),
    url: head.url,
    protocol: head.protocol,
    messagesIn,
    messagesOut,
    bytesIn,
    bytesOut,
    buffered: connection.buffered,
    rooms: [...(connection.rooms ?? [])]
  }
}

function trafficOf({ counters, open, outbox }: App): AppTraffic {
  return { ...counters, connections: open, queueEvents: outbox.count, queueBytes: outbox.bytes }
}
