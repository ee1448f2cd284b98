import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makePool } from './pool.ts'

/** A certificate for these names that signs itself; null where there is no openssl. */
function certificate(names: string): { key: string; cert: string } | null {
  const folder = mkdtempSync(join(tmpdir(), 'socklet-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test', '-addext', `subjectAltName=${names}`, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } catch {
    return null
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const made = certificate('DNS:good.test')

// The connection goes to an address that was checked, and the certificate has to be that of the name all the same.
it.skipIf(made === null)('https is checked against the name of the URL', async () => {
  const names: unknown[] = []
  const server = createServer(made!, (request, response) => {
    names.push((request.socket as unknown as { servername: unknown }).servername)
    response.end('safe')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const trusting = makePool({ ca: made!.cert })
  expect(String((await trusting.fetch({ url: `https://good.test:${port}/` })).body)).toBe('safe')
  expect((await trusting.fetch({ url: `https://other.test:${port}/` })).failure?.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  expect((await trusting.fetch({ url: `https://127.0.0.1:${port}/` })).failure?.code).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  const usual = makePool()
  expect((await usual.fetch({ url: `https://good.test:${port}/` })).failure?.code).toMatch(/SELF_SIGNED/)
  expect(names).toEqual(['good.test'])
  await Promise.all([trusting.fetches.close(), usual.fetches.close()])
  server.closeAllConnections()
  server.close()
})
