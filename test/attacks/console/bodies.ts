import type { ClientAttack } from '../attack.ts'
import { expectRefused } from '../clients.ts'

export default {
  name: 'Bodies: mass assignment, depth, size, prototypes',
  layer: 'console',
  holds: 'A body is exactly what its schema says, or 400 or 413; no field that is not listed is taken.',
  variants: {
    'fields that only the platform sets': async (platform) => {
      for (const more of [{ number: 1 }, { createdAt: 0 }, { revision: 9 }, { tokens: [] }, { env: {} }, { failed: false }, { isAdmin: true }]) expectRefused(await platform.admin('PATCH', '/apps/other', { name: 'x', ...more }), 400)
      for (const more of [{ limits: { nothing: 1 } }, { limits: { heapMiB: 1e9 } }, { limits: { heapMiB: '64' } }, { limits: [] }, { state: 'deleted' }, { appid: 'bystander' }]) expectRefused(await platform.admin('PATCH', '/apps/other', more), 400, 422)
    },
    'prototypes': async (platform) => {
      for (const text of ['{"__proto__":{"state":"suspended"}}', '{"constructor":{"prototype":{"x":1}}}', '{"name":"x","__proto__":1}']) expectRefused(await raw(platform, 'PATCH', '/apps/other', text), 400)
    },
    'deeply nested': async (platform) => {
      for (const text of ['['.repeat(100_000), '{"name":'.repeat(10_000) + '1' + '}'.repeat(10_000), `{"limits":${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}}`]) expectRefused(await raw(platform, 'PATCH', '/apps/other', text), 400, 413)
    },
    'huge': async (platform) => {
      expectRefused(await raw(platform, 'PATCH', '/apps/other', JSON.stringify({ name: 'x'.repeat(20_000_000) })), 400, 413)
    },
    'no JSON': async (platform) => {
      for (const text of ['', 'null', '1', '"x"', '[]', '{', '{"name":"x"} {', "{name:'x'}"]) expectRefused(await raw(platform, 'PATCH', '/apps/other', text), 400)
    }
  }
} satisfies ClientAttack

function raw(platform: Parameters<ClientAttack['variants'][string]>[0], method: string, path: string, text: string): ReturnType<typeof platform.admin> {
  return platform.admin(method, path, text, { 'content-type': 'application/json' })
}
