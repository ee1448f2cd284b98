import { parseArgs } from 'node:util'

/**
 * The options of the platform: default, environment name, type and doc on one line.
 * The CLI's help and the docs page are made from this list.
 */
interface OptionSpec {
  /** A token is a string that goes into a header. */
  readonly type: 'string' | 'token' | 'integer' | 'flag'
  readonly env: string
  readonly default: string | number | boolean | null
  readonly min?: number
  readonly max?: number
  /** Of an integer whose 0 stands for something else: the least that it can be otherwise. */
  readonly leastBut0?: number
  /** Of a string: what it may be. */
  readonly choices?: readonly string[]
  readonly doc: string
}

export const OPTIONS = {
  port: { type: 'integer', env: 'SOCKLET_PORT', default: 8080, min: 0, max: 65_535, doc: 'port for clients; 0 picks a free one' },
  'console-port': { type: 'integer', env: 'SOCKLET_CONSOLE_PORT', default: 8081, min: 0, max: 65_535, doc: 'port of the admin REST and the console; 0 picks a free one' },
  host: { type: 'string', env: 'SOCKLET_HOST', default: '127.0.0.1', doc: 'address that clients connect to' },
  'console-host': { type: 'string', env: 'SOCKLET_CONSOLE_HOST', default: '127.0.0.1', doc: 'address of the admin REST and the console' },
  data: { type: 'string', env: 'SOCKLET_DATA', default: '.socklet', doc: 'folder of everything durable' },
  domain: { type: 'string', env: 'SOCKLET_DOMAIN', default: 'localhost', doc: 'apps are reached at <appid>.<domain>' },
  'trust-proxy': { type: 'flag', env: 'SOCKLET_TRUST_PROXY', default: false, doc: 'a proxy in front says who the client is: its x-real-ip and x-forwarded-for are kept; otherwise they are what we see' },
  workers: { type: 'integer', env: 'SOCKLET_WORKERS', default: 0, min: 0, max: 256, doc: 'worker processes; 0 is one for each core but one' },
  'worker-memory-mib': { type: 'integer', env: 'SOCKLET_WORKER_MEMORY_MIB', default: 0, min: 0, max: 1_048_576, leastBut0: 128, doc: 'MiB of memory (RSS) of one worker process; above it the worker is killed at once, and its apps start anew elsewhere. 0 is an equal share of the memory of the machine (or of the cgroup) for each worker, the spare one and the one for trials, and 1,024 at least; else it is 128 at least, of which a worker that holds nothing takes half' },
  sandbox: { type: 'string', env: 'SOCKLET_SANDBOX', default: 'auto', choices: ['auto', 'bwrap', 'none'], doc: 'what workers run inside of: `bwrap` (bubblewrap: namespaces of their own, with no network and no files but the program), `none`, or `auto`, which is bwrap where it works; with `bwrap` the platform does not start where it does not' },
  gateways: { type: 'integer', env: 'SOCKLET_GATEWAYS', default: 1, min: 1, max: 64, doc: 'gateway processes, all on the same port; each holds as many connections as it may open files (ulimit -n), less 64' },
  'admin-token': { type: 'token', env: 'SOCKLET_ADMIN_TOKEN', default: null, doc: 'token of the admin REST, visible ASCII characters without spaces; made on the first start if absent' },
  'metrics-token': { type: 'token', env: 'SOCKLET_METRICS_TOKEN', default: null, doc: 'a token that opens /metrics only, of such characters, too' },
  'ping-seconds': { type: 'integer', env: 'SOCKLET_PING_SECONDS', default: 30, min: 1, max: 3600, doc: 'seconds between pings of a client; one from which nothing came between two of them is gone' },
  'queue-mib': { type: 'integer', env: 'SOCKLET_QUEUE_MIB', default: 256, min: 1, max: 65_536, doc: 'MiB of events and of bodies of requests that wait in a gateway for all apps; above it apps for which more than a little waits are not read, and their requests get 503, until there is less' },
  'send-buffer-mib': { type: 'integer', env: 'SOCKLET_SEND_BUFFER_MIB', default: 512, min: 1, max: 65_536, doc: 'MiB that wait in a gateway for slow clients of all apps; above it those that have most waiting are closed with 1013' },
  'allow-private-fetch': { type: 'flag', env: 'SOCKLET_ALLOW_PRIVATE_FETCH', default: false, doc: '**dangerous**: functions may fetch private addresses too, those of this machine, its network and its cloud provider (metadata, credentials) among them; for tests and intranets whose tenants are trusted' },
  'mongodb-url': { type: 'string', env: 'SOCKLET_MONGODB_URL', default: null, doc: 'MongoDB (a replica set) for the catalog, in place of SQLite in the data folder' },
  demo: { type: 'flag', env: 'SOCKLET_DEMO', default: true, doc: 'publish the sample app `demo` on the first start; --no-demo does not' }
} as const satisfies Record<string, OptionSpec>

type Value<S extends OptionSpec> = S['type'] extends 'integer' ? number : S['type'] extends 'flag' ? boolean : S['default'] extends null ? string | null : string
export type Options = { -readonly [K in keyof typeof OPTIONS]: Value<(typeof OPTIONS)[K]> }

/** What a token may be, as the end of a sentence. With anything else no request could carry it. */
export const TOKEN_RULE = 'visible ASCII characters without spaces'

export function isToken(text: string): boolean {
  return /^[!-~]+$/.test(text)
}

/** An option has a value that it cannot have. The message names it. */
export class OptionError extends Error {
  override readonly name = 'OptionError'
}

/**
 * Options from the command line, else from the environment, else the default.
 * @throws OptionError that names the option.
 */
export function readOptions(argv: string[], env: Record<string, string | undefined>): Options {
  const given = parseCommandLine(argv)
  const entries = Object.entries(OPTIONS).map(([name, spec]: [string, OptionSpec]) => {
    if (given[name] !== undefined) return [name, parse(spec, `--${name}`, given[name])]
    const fromEnv = env[spec.env]
    if (fromEnv !== undefined && fromEnv !== '') return [name, parse(spec, spec.env, fromEnv)]
    return [name, spec.default]
  })
  return Object.fromEntries(entries) as Options
}

/** What gives the option its value if it is not the default: `--NAME`, or the name of its environment variable. */
export function sourceOf(name: keyof Options, argv: string[]): string {
  return parseCommandLine(argv)[name] === undefined ? OPTIONS[name].env : `--${name}`
}

function parseCommandLine(argv: string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, spec]) => [name, { type: spec.type === 'flag' ? ('boolean' as const) : ('string' as const) }])
  )
  try {
    return parseArgs({ args: argv, options, allowNegative: true, strict: true }).values as Record<string, string | boolean | undefined>
  } catch (error) {
    throw new OptionError((error as Error).message)
  }
}

function parse(spec: OptionSpec, where: string, value: string | boolean): string | number | boolean {
  if (spec.type === 'flag') return parseFlag(where, value)
  const text = String(value)
  if (spec.type !== 'integer') {
    if (text === '') throw new OptionError(`${where} is empty`)
    // Not shown: who reads our output need not know how it nearly is.
    if (spec.type === 'token' && !isToken(text)) throw new OptionError(`${where} takes ${TOKEN_RULE}`)
    if (spec.choices?.includes(text) === false) throw new OptionError(`${where} takes ${spec.choices.join(', ')}, not ${JSON.stringify(text)}`)
    return text
  }
  const number = Number(text)
  const { min = 0, max = Number.MAX_SAFE_INTEGER, leastBut0 = min } = spec
  const fits = number >= leastBut0 || (number === 0 && min === 0)
  if (!/^\d+$/.test(text) || !fits || number > max) {
    throw new OptionError(`${where} takes ${leastBut0 > min ? '0 or ' : ''}a whole number from ${leastBut0} to ${max}, not ${JSON.stringify(text)}`)
  }
  return number
}

function parseFlag(where: string, value: string | boolean): boolean {
  if (typeof value === 'boolean') return value
  if (['1', 'true', 'yes', 'on'].includes(value)) return true
  if (['0', 'false', 'no', 'off'].includes(value)) return false
  throw new OptionError(`${where} takes true or false, not ${JSON.stringify(value)}`)
}

/** One line an option, for `--help`. */
export function optionsHelp(): string {
  const lines = Object.entries(OPTIONS).map(([name, spec]: [string, OptionSpec]) => {
    const fallback = spec.default === null ? '' : ` (default ${spec.default})`
    // The doc is Markdown, for the page.
    return { usage: usageOf(name, spec), text: `${spec.doc.replaceAll(/\*\*|`/g, '')}${fallback} [${spec.env}]` }
  })
  const width = Math.max(...lines.map(({ usage }) => usage.length))
  return lines.map(({ usage, text }) => `  ${usage.padEnd(width)} ${text}`).join('\n')
}

function usageOf(name: string, { type, choices }: OptionSpec): string {
  if (type === 'flag') return `--[no-]${name}`
  return `--${name} ${choices?.join('|') ?? (type === 'integer' ? 'N' : 'TEXT')}`
}
