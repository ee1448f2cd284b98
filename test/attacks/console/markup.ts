import { expect } from 'vitest'
import type { ClientAttack } from '../attack.ts'
import { until } from '../../support/until.ts'

const MARKUP = `<img src=x onerror=alert(1)><script>alert(1)</script>"'&`

export default {
  name: 'Markup in names and in logs',
  layer: 'console',
  holds: 'What tenants write is JSON for programs and text on the page; no answer with it is HTML, and the page runs no script but its own.',
  variants: {
    'in a name': async (platform) => {
      await platform.admin('PATCH', '/apps/other', { name: MARKUP })
      const { json, headers } = await platform.admin('GET', '/apps/other')
      expect(json.name).toBe(MARKUP)
      expect(headers.get('content-type')).toMatch(/^application\/json/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    },
    'in a log line': async (platform) => {
      await platform.admin('PUT', '/apps/other/functions/markup', `export default () => console.log(${JSON.stringify(MARKUP)})`)
      await platform.request('other', '/markup')
      const found = await until('the line is in the log', async () => (await platform.admin('GET', '/apps/other/logs')).json.items.find(({ message }: { message: string }) => message.includes('<img')))
      expect(found.message).toBe(MARKUP)
    },
    'in a path that does not exist': async (platform) => {
      const answer = await fetch(`${platform.console}/${encodeURIComponent(MARKUP)}`)
      expect(answer.headers.get('content-type') ?? '').not.toMatch(/html/)
      expect(await answer.text()).not.toContain('<img')
    },
    'control characters in a name': async (platform) => {
      const answer = await platform.admin('PATCH', '/apps/other', { name: 'a\u0000\u001b[31m\u202e' })
      expect(answer.status).toBeLessThan(500)
    },
    'against the policy of the page': async (platform) => {
      const policy = (await fetch(platform.console)).headers.get('content-security-policy')
      expect(policy).toMatch(/default-src 'none'|default-src 'self'/)
      expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*/)
    }
  }
} satisfies ClientAttack
