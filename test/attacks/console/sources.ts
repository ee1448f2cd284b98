import { expect } from 'vitest'
import type { ClientAttack } from '../attack.ts'
import { expectRefused } from '../clients.ts'

const sources: Record<string, string> = {
  'deeply nested': '('.repeat(50_000) + ')'.repeat(50_000),
  'a file of the host as an import': `import text from '/etc/passwd'\nexport default () => text`,
  'a file with a loader': `import text from '/etc/passwd' with { type: 'text' }\nexport default () => text`,
  'a file by its URL': `import text from 'file:///etc/passwd'\nexport default () => text`,
  'a data URL': `import x from 'data:text/javascript,export default process'\nexport default () => typeof x.binding`,
  'a module of the host': `import ivm from 'isolated-vm'\nexport default () => ivm`,
  'package imports': `import x from '#internal'\nexport default () => x`
}
const refuses = (source: string): ClientAttack['variants'][string] => async (platform) => {
  const answer = await platform.admin('PUT', '/apps/other/functions/hostile', source)
  expectRefused(answer, 413, 422)
  expect(answer.text).not.toContain('root:')
}

export default {
  name: 'Sources that attack the compiler',
  layer: 'console',
  holds: 'The compiler reads no file and no directive of the source, and runs in a process of its own with limits; what it cannot do is 422.',
  variants: {
    ...Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, refuses(source)])),
    'directives and odd encodings': async (platform) => {
      const source = `\ufeff// @jsx alert\n/** @jsxImportSource /etc */\n//# sourceMappingURL=/etc/passwd\n/// <reference path="/etc/passwd" />\n// esbuild-plugin: x\nexport default () => '\\u2028' + "\u2028\u2029"`
      expect((await platform.admin('PUT', '/apps/other/functions/odd', source)).status).toBeLessThan(300)
      expect((await platform.request('other', '/odd')).text).toBe('\u2028\u2028\u2029')
    },
    'code that breaks out of its wrapper': async (platform) => {
      for (const source of ['}); process.exit(); (() => {', '})();globalThis.x=1;(function(){', '`${', '*/ x /*', '</script><script>']) expectRefused(await platform.admin('PUT', '/apps/other/functions/hostile', source), 422)
    },
    'deep types, which are taken away': async (platform) => {
      expect((await platform.admin('PUT', '/apps/other/functions/deep', `type T = ${'Array<'.repeat(20_000)}1${'>'.repeat(20_000)}\nexport default 1`)).status).toBeLessThan(500)
    },
    'a source above its limit': async (platform) => expectRefused(await platform.admin('PUT', '/apps/other/functions/hostile', `export default '${'x'.repeat(2 * 1024 * 1024)}'`), 413)
  }
} satisfies ClientAttack
