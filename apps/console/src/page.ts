import { readFileSync } from 'node:fs'
import type { Express } from 'express'

const FILES = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8']
] as const

/** The page may run its own script and ask its own server, and nothing else: what tenants write stays text. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The console's page. Its files are read once: they are small, and part of the program. */
export function servePage(app: Express): void {
  for (const [path, file, type] of FILES) {
    const content = readFileSync(new URL(`page/${file}`, import.meta.url))
    app.get(path, (_req, res) => {
      res.set({ 'content-type': type, 'content-security-policy': POLICY, 'cache-control': 'no-cache' }).end(content)
    })
  }
}
