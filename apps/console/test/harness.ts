import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { openCatalog, type Catalog } from '@socklet/catalog'
import { ROUTES } from '../src/api/table.ts'
import { startConsole, type Console, type ConsoleOptions } from '../src/console.ts'
import { ERRORS } from '../src/errors.ts'
import { errorsOf } from '../src/openapi.ts'
import { FakePool } from './fake-pool.ts'

export const ADMIN = 'the-admin-token-of-these-tests'
export const METRICS = 'the-metrics-token-of-these-tests'

export interface Reply {
  status: number
  headers: Headers
  // What a test expects there is what it checks.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any
}

interface Init {
  token?: string | null
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is. */
  raw?: string | Uint8Array
}

/** A console with its catalog in a folder of its own, and a pool that is played. */
export interface Harness {
  console: Console
  catalog: Catalog
  pool: FakePool
  folder: string
  base: string
  /** Asks, and checks what comes back against the table of routes. */
  ask: (method: string, path: string, init?: Init) => Promise<Reply>
  app: (appid: string) => Promise<void>
  token: (appid: string, ...scopes: string[]) => Promise<string>
  stop: () => Promise<void>
}

export async function harness(options: Partial<ConsoleOptions> = {}): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'socklet-console-'))
  const pool = new FakePool(join(folder, 'pool.sock'))
  await pool.start()
  const catalog = await catalogIn(folder)
  const console = await startConsole({
    host: '127.0.0.1',
    port: 0,
    catalog,
    poolSocket: pool.path,
    sharedStore: join(folder, 'shared.db'),
    poolPatienceMs: 100,
    adminToken: ADMIN,
    metricsToken: METRICS,
    appUrl: () => undefined,
    supervised: false,
    demo: false,
    ...options
  })
  await console.usable
  const base = `http://127.0.0.1:${console.port}`
  const ask: Harness['ask'] = async (method, path, init = {}) => await check(method, path, await send(base, method, path, init))
  return {
    console,
    catalog,
    pool,
    folder,
    base,
    ask,
    app: async (appid) => {
      expect(await ask('POST', '/v1/apps', { json: { appid } })).toMatchObject({ status: 201 })
    },
    token: async (appid, ...scopes) => {
      const { status, body } = await ask('POST', `/v1/apps/${appid}/tokens`, { json: { name: scopes.join(), scopes } })
      expect(status).toBe(201)
      return body.token
    },
    stop: async () => {
      await console.stop(2_000)
      await pool.stop()
      await rm(folder, { recursive: true })
    }
  }
}

/** The catalog is opened in the folder where the process is, as every process of the platform is in its data folder. */
async function catalogIn(folder: string): Promise<Catalog> {
  const before = process.cwd()
  process.chdir(folder)
  try {
    return await openCatalog({ 'mongodb-url': null })
  } finally {
    process.chdir(before)
  }
}

async function send(base: string, method: string, path: string, { token = ADMIN, headers = {}, json, raw }: Init): Promise<Reply> {
  const body = json === undefined ? raw : JSON.stringify(json)
  const response = await fetch(base + path, {
    method,
    body: body as string | undefined,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

/** Every answer of every test has to be one that the table promises: the right shape, or an error that is listed there. */
function check(method: string, path: string, reply: Reply): Reply {
  const route = ROUTES.find((candidate) => candidate.method === method.toLowerCase() && pattern(candidate.path).test(path.split('?')[0]!))
  if (route === undefined) return reply
  const { status, body } = reply
  if (status < 400 || status in route.responses) {
    const schema = route.responses[status]
    expect(schema, `${method} ${path} lists ${status}`).not.toBe(undefined)
    if (schema === null) expect(body).toBe('')
    else schema!.parse(body)
    return reply
  }
  expect(Object.keys(body)).toEqual(['error'])
  expect(ERRORS).toHaveProperty(body.error.code)
  expect(ERRORS[body.error.code as keyof typeof ERRORS].status).toBe(status)
  if (body.error.code !== 'internal') expect([...errorsOf(route)], `${method} ${path} lists ${body.error.code}`).toContain(body.error.code)
  return reply
}

function pattern(path: string): RegExp {
  const source = path.replaceAll(/[*:](\w+)/g, (whole) => (whole.startsWith('*') ? '.+' : '[^/]+'))
  return new RegExp(`^${source}$`)
}

/** A request as bytes that fetch would not send: a path that is not normalised, a wrong length. */
export async function rawRequest(port: number, method: string, path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  return await new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers: { authorization: `Bearer ${ADMIN}`, ...headers } }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, body }))
    })
    request.on('error', reject)
    request.end()
  })
}

export async function until(condition: () => boolean | Promise<boolean>, what = 'the condition'): Promise<void> {
  const end = Date.now() + 5_000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what} did not come about`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
