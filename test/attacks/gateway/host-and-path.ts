import { expect } from 'vitest'
import type { ClientAttack } from '../attack.ts'
import { SECRET_APP, statusOf, upgradeRequest } from '../clients.ts'

const refused = (path: string, host?: string, more?: string): ClientAttack['variants'][string] => async (platform) => {
  const { status, body, after } = await statusOf(platform, upgradeRequest(path, host, more))
  expect([0, 400, 403, 404, 414, 431], body).toContain(status)
  expect(body).not.toMatch(/secret-of|node:internal/)
  after.socket.destroy()
}

export default {
  name: 'Host and path tricks',
  layer: 'gateway',
  holds: 'An app is named by the host or else by the first part of the path, exactly; whatever else is said is 400 or 404.',
  variants: {
    'dots that climb': refused(`/nobody/../${SECRET_APP}/__websocket__`),
    'encoded dots and slashes': refused(`/%2e%2e%2f${SECRET_APP}/__websocket__`),
    'an encoded slash in the name': refused(`/other%2f..%2f${SECRET_APP}/`),
    'a NUL in the path': refused(`/${SECRET_APP}%00/__websocket__`),
    'upper case': refused(`/${SECRET_APP.toUpperCase()}/__websocket__`),
    'two slashes': refused(`//${SECRET_APP}/__websocket__`),
    'an absolute form with another host': refused(`http://nobody.localhost/${SECRET_APP}x/__websocket__`),
    'a host that is no app': refused('/__websocket__', 'nobody.localhost'),
    'a host of two labels': refused('/__websocket__', `${SECRET_APP}.x.localhost`),
    'a host with a path': refused('/__websocket__', `localhost/${SECRET_APP}`),
    'prototype names': async (platform) => {
      for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '.', '..', '%', '*']) await refused(`/${name}/__websocket__`)(platform)
    },
    'two hosts': refused(`/${SECRET_APP}/__websocket__`, 'localhost', 'Host: other.localhost\r\n'),
    'X-Forwarded-Host and the like': async (platform) => {
      const { status, after } = await statusOf(platform, upgradeRequest('/nobody/__websocket__', 'localhost', `X-Forwarded-Host: ${SECRET_APP}.localhost\r\nX-Original-URL: /${SECRET_APP}/\r\nForwarded: host=${SECRET_APP}.localhost\r\n`))
      expect(status).toBe(404)
      after.socket.destroy()
    }
  }
} satisfies ClientAttack
