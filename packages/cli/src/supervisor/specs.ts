import { fileURLToPath } from 'node:url'
import { DATA, OPTIONS, type Options } from '@socklet/config'
import { SUPERVISED_ENV } from '@socklet/protocol'
import type { ChildKind, ChildSpec } from './child.ts'

/**
 * MiB. For new objects: while 10,000 clients connect it grows to the default of 16 and stays so, 3 KiB for each of them that
 * are never used again (measured; what a message costs is the same). For old ones: V8 begins with a guess so low that whatever is
 * read sets off a collection of the whole heap after each one of the new objects (a third of all CPU for messages of 4 KiB).
 * No allocation among the old objects from the start, which V8 decides on where most new ones are still in use when it looks: events are in the first
 * seconds of a load, and later each of them, long settled, keeps the bytes of its message until the whole heap is collected (in 6 of 20 starts, a quarter of all CPU for messages of 4 KiB).
 * Without helper threads: they take cores from those whose messages wait (docs/benchmarks.md).
 */
const GATEWAY_FLAGS = ['--max-semi-space-size=4', '--initial-old-space-size=32', '--no-allocation-site-pretenuring', '--single-threaded-gc']

/** Administration is seldom, and what V8 would spend on making it faster is 12 MiB. */
const CONSOLE_FLAGS = ['--optimize-for-size']

const appScript = (path: string): string => fileURLToPath(new URL(`../../../../apps/${path}`, import.meta.url))

const SCRIPTS: Record<ChildKind, string> = {
  pool: appScript('runtime/src/pool/main.ts'),
  gateway: appScript('gateway/src/main.ts'),
  console: appScript('console/src/main.ts')
}

/** Of the supervisor's own environment, the processes get these: none of them is secret. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'LC_ALL', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR']

type OptionName = keyof Options

/** Options that only these processes get to know. */
const CONFIDENTIAL: Partial<Record<OptionName, ChildKind[]>> = {
  'admin-token': ['console'],
  'metrics-token': ['console'],
  'mongodb-url': ['pool', 'console']
}

type Env = Record<string, string | undefined>

/** The processes of the platform, in the order they start. `env` is the supervisor's. */
export function platformChildren(options: Options, env: Env): ChildSpec[] {
  const gateways = Array.from({ length: options.gateways }, (_, index) => gateway(options, env, index))
  return [
    { kind: 'pool', name: 'pool', script: SCRIPTS.pool, env: childEnv('pool', options, env) },
    ...gateways,
    { kind: 'console', name: 'console', script: SCRIPTS.console, flags: CONSOLE_FLAGS, env: childEnv('console', options, env), portVariable: OPTIONS['console-port'].env }
  ]
}

function gateway(options: Options, env: Env, index: number): ChildSpec {
  const own = { ...childEnv('gateway', options, env), SOCKLET_INDEX: String(index) }
  return { kind: 'gateway', name: `gateway-${index}`, script: SCRIPTS.gateway, flags: GATEWAY_FLAGS, env: own, portVariable: OPTIONS.port.env }
}

/** All of the environment of a process of this kind. */
function childEnv(kind: ChildKind, options: Options, env: Env): Record<string, string> {
  const passed = PASSED_ON.filter((name) => env[name] !== undefined).map((name) => [name, env[name]!])
  // They work inside the data folder.
  const given = Object.entries({ ...options, data: '.' } satisfies Options)
    .filter(([name, value]) => value !== null && (CONFIDENTIAL[name as OptionName]?.includes(kind) ?? true))
    .map(([name, value]) => [OPTIONS[name as OptionName].env, String(value)])
  return { ...Object.fromEntries([...passed, ...given]), [SUPERVISED_ENV]: '1', NODE_COMPILE_CACHE: DATA.compiled }
}
