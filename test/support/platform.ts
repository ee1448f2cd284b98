import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url))
const START_TIMEOUT_MS = 60_000

export interface Answer {
  status: number
  headers: Headers
  text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- bodies are what a test expects them to be
  json: any
}

export interface Platform {
  /** `http://…` for clients. */
  readonly gateway: string
  readonly gatewayPort: number
  /** `http://…` of the admin REST. */
  readonly console: string
  readonly token: string
  readonly data: string
  readonly startText: string
  readonly pid: number
  /** All that the platform wrote to its standard error. */
  errors(): string
  /** A call of the admin REST; `path` without `/v1`. An object as body is sent as JSON, a string as TypeScript source. */
  admin(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** Those of one kind, or all. */
  processes(kind?: string): Promise<Process[]>
  /** The worker that holds the app. */
  holder(appid: string): Promise<Process | undefined>
  /** Makes an app with these functions. */
  app(appid: string, functions: Record<string, string>): Promise<void>
  /** A request for a function of an app, by path. */
  request(appid: string, path: string, init?: RequestInit): Promise<Answer>
  /** WebSocket URL of an app, by path. */
  url(appid: string, path?: string): string
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>
  /** SIGKILL to the supervisor. */
  kill(): Promise<void>
  /** stop, and the data folder is removed. */
  close(): Promise<void>
}

export interface PlatformOptions {
  args?: string[]
  env?: Record<string, string>
  /** A data folder that is there already; it is not removed by `close`. */
  data?: string
  demo?: boolean
  /** The most file descriptors that each of its processes may have open. */
  openFiles?: number
}

/** One of the platform's processes, as the admin REST tells of it. */
export interface Process {
  kind: string
  pid: number
  rssBytes: number
  /** What a worker holds. */
  apps: string[]
}

/** Starts the whole platform, as `npm start` does, on free ports and in a data folder of its own. */
export async function startPlatform(options: PlatformOptions = {}): Promise<Platform> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'socklet-test-')))
  const demo = options.demo === true ? [] : ['--no-demo']
  const args = [MAIN, 'start', '--port', '0', '--console-port', '0', '--data', data, ...demo, ...(options.args ?? [])]
  const limited = options.openFiles === undefined ? [] : ['bash', '-c', `ulimit -n ${options.openFiles} && exec "$@"`, 'bash']
  const [command, ...all] = [...limited, process.execPath, ...args] as [string, ...string[]]
  const child = spawn(command, all, { env: { PATH: process.env['PATH'] ?? '', ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] })
  // A test that fails before it closes the platform must not leave it behind.
  const killWithTest = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithTest)
  child.once('exit', () => process.off('exit', killWithTest))
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-100_000)
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const removeData = async (): Promise<void> => {
    if (options.data === undefined) await rm(data, { recursive: true, force: true })
  }
  const startText = await untilReady(child, exited, () => errors).catch(async (error: unknown) => {
    await removeData()
    throw error
  })
  const gateway = urlIn(startText, /gateway\S*\s+(http:\/\/\S+)/i)
  const consoleUrl = urlIn(startText, /console\S*\s+(http:\/\/\S+)/i)
  const token = urlIn(startText, /token\S*\s+(\S+)/i)
  const platform: Platform = {
    gateway,
    gatewayPort: Number(new URL(gateway).port),
    console: consoleUrl,
    token,
    data,
    startText,
    pid: child.pid!,
    errors: () => errors,
    admin: (method, path, body, headers) => adminCall(`${consoleUrl}/v1${path}`, token, method, body, headers),
    processes: async (kind) => {
      const { processes } = (await platform.admin('GET', '/platform')).json as { processes: Process[] }
      return processes.filter((one) => kind === undefined || one.kind === kind).map((one) => ({ ...one, apps: one.apps ?? [] }))
    },
    holder: async (appid) => (await platform.processes('worker')).find(({ apps }) => apps.includes(appid)),
    app: async (appid, functions) => {
      await expectStatus(platform.admin('POST', '/apps', { appid }), 201)
      const entries = Object.entries(functions).map(([name, code]) => [name, { code }])
      await expectStatus(platform.admin('PUT', `/apps/${appid}/functions`, { functions: Object.fromEntries(entries) }), 200)
    },
    request: (appid, path, init) => call(`${gateway}/${appid}${path}`, init ?? {}),
    url: (appid, path = '/__websocket__') => `${gateway.replace('http', 'ws')}/${appid}${path}`,
    stop: async () => {
      child.kill('SIGTERM')
      return exited
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    close: async () => {
      await platform.stop()
      await removeData()
    }
  }
  return platform
}

async function untilReady(child: ChildProcess, exited: Promise<number | null>, errors: () => string): Promise<string> {
  let text = ''
  const ready = new Promise<string>((resolve) => {
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (/^ready$/m.test(text)) resolve(text)
    })
  })
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error(`not ready in time:\n${text}\n${errors()}`)), START_TIMEOUT_MS).unref())
  const ended = exited.then((code) => Promise.reject(new Error(`ended with ${code} before it was ready:\n${text}\n${errors()}`)))
  // One of them settles after the race, and nobody looks at it then.
  ended.catch(() => {})
  late.catch(() => {})
  return Promise.race([ready, ended, late])
}

function urlIn(text: string, pattern: RegExp): string {
  const match = pattern.exec(text)
  if (match === null) throw new Error(`${pattern} is not in the start-up text:\n${text}`)
  return match[1]!
}

function adminCall(url: string, token: string, method: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const isSource = typeof body === 'string'
  const contentType: Record<string, string> = body === undefined ? {} : { 'content-type': isSource ? 'text/typescript' : 'application/json' }
  const init: RequestInit = { method, headers: { authorization: `Bearer ${token}`, ...contentType, ...headers } }
  if (body !== undefined) init.body = isSource ? body : JSON.stringify(body)
  return call(url, init)
}

async function call(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  return { status: response.status, headers: response.headers, text, json }
}

async function expectStatus(answer: Promise<Answer>, status: number): Promise<void> {
  const { status: got, text } = await answer
  if (got !== status) throw new Error(`status ${got} in place of ${status}: ${text}`)
}
