import { expect } from 'vitest'
import type { ClientAttack } from '../attack.ts'
import { RawClient } from '../../conformance/support/raw-client.ts'
import { statusOf, upgradeRequest } from '../clients.ts'

export default {
  name: 'Floods of upgrades and of headers',
  layer: 'gateway',
  holds: 'Each is refused or served by itself; the others are served meanwhile, and none is kept after its client has gone.',
  variants: {
    'two hundred upgrades of nobody': async (platform) => {
      const all = await Promise.all(Array.from({ length: 200 }, (_, n) => statusOf(platform, upgradeRequest(`/nobody-${n}/`))))
      expect(new Set(all.map(({ status }) => status))).toEqual(new Set([404]))
      for (const { after } of all) after.socket.destroy()
    },
    'two hundred that are given up at once': async (platform) => {
      for (let n = 0; n < 200; n++) {
        const raw = new RawClient(platform.gatewayPort)
        raw.write(upgradeRequest('/other/__websocket__'))
        raw.socket.destroy()
      }
    },
    'upgrades of many in one connection': async (platform) => {
      const { status, after } = await statusOf(platform, upgradeRequest('/nobody/').repeat(50))
      expect(status).toBe(404)
      after.socket.destroy()
    },
    'many headers': async (platform) => {
      const { status, after } = await statusOf(platform, upgradeRequest('/other/', 'localhost', Array.from({ length: 5_000 }, (_, n) => `X-${n}: ${n}\r\n`).join('')))
      expect([0, 400, 431]).toContain(status)
      after.socket.destroy()
    },
    'one huge header': async (platform) => {
      const { status, after } = await statusOf(platform, upgradeRequest('/other/', 'localhost', `X: ${'x'.repeat(1_000_000)}\r\n`))
      expect([0, 400, 431]).toContain(status)
      after.socket.destroy()
    },
    'bad versions and keys': async (platform) => {
      for (const more of ['Sec-WebSocket-Version: 99\r\n', 'Sec-WebSocket-Key: x\r\n', 'Sec-WebSocket-Protocol: a,a\r\n', 'Sec-WebSocket-Protocol: \u0001\r\n']) {
        const { status, after } = await statusOf(platform, upgradeRequest('/other/__websocket__', 'localhost', more))
        expect([0, 400, 426]).toContain(status)
        after.socket.destroy()
      }
    }
  }
} satisfies ClientAttack
