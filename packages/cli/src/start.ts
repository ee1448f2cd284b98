import { resolve } from 'node:path'
import { enterDataFolder, readOptions, sourceOf, type Options } from '@socklet/config'
import type { ChildSpec } from './supervisor/child.ts'
import { lockDataFolder, LockedError } from './supervisor/lock.ts'
import { checkDatabases, portProblem } from './supervisor/preflight.ts'
import { platformChildren } from './supervisor/specs.ts'
import { StartError, Supervisor } from './supervisor/supervisor.ts'
import { keptAdminToken } from './supervisor/token.ts'
import type { Timing } from './supervisor/slot.ts'
import { startedText } from './text.ts'

/** npm passes Ctrl-C on, which the terminal has sent to everybody already: two within this time are one. */
const SAME_SIGNAL_MS = 500

type Env = Record<string, string | undefined>

/** The processes to start instead of the platform's own, and their timing: for tests. */
export interface StartSetup {
  children: (options: Options, env: Env) => ChildSpec[]
  timing?: Timing
}

/**
 * Runs the platform until it is told to stop, and settles with the exit code.
 * @throws OptionError that names the option.
 */
export async function start(argv: string[], env: Env, setup: StartSetup = { children: platformChildren }): Promise<number> {
  const options = readOptions(argv, env)
  const folder = resolve(options.data)
  // Whoever reads our output may go away; the platform stays.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})
  const kept = prepare(folder, options, sourceOf('admin-token', argv))
  if (kept === null) return 1
  const problem = await portProblem(options)
  if (problem !== null) {
    say(`socklet: cannot start: ${problem}`)
    return 1
  }
  const withToken = { ...options, 'admin-token': kept.token }
  const supervisor = new Supervisor(setup.children(withToken, env), say, setup.timing)
  const told = onSignals(supervisor)
  try {
    const ports = await supervisor.start()
    if (ports !== null) {
      const { gateway: gatewayPort = options.port, console: consolePort = options['console-port'] } = ports
      process.stdout.write(startedText({ options, gatewayPort, consolePort, token: kept.token, tokenSource: kept.source, folder }))
    }
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    await supervisor.stop()
    say(`socklet: cannot start: ${error.message}`)
    return 1
  }
  return told
}

/** The data folder, locked and looked at, and the admin token: the one that was given, by what, or the one that is kept. null if the folder cannot be used: that is said then. */
function prepare(folder: string, options: Options, givenBy: string): { token: string; source: string } | null {
  try {
    enterDataFolder(folder)
    lockDataFolder(folder)
    checkDatabases(options)
    const given = options['admin-token']
    if (given !== null) return { token: given, source: `from ${givenBy}` }
    return { token: keptAdminToken(), source: 'kept in the data folder' }
  } catch (error) {
    const { message } = error as Error
    say(`socklet: ${error instanceof LockedError ? message : `cannot use the data folder ${folder}: ${message}`}`)
    return null
  }
}

/** Stops the platform on the first signal, and settles with the exit code: 0, or 1 if another signal ended it by force. */
function onSignals(supervisor: Supervisor): Promise<number> {
  return new Promise((settle) => {
    let first: number | undefined
    const onSignal = (): void => {
      if (first === undefined) {
        first = performance.now()
        void supervisor.stop().then(() => settle(0))
      } else if (performance.now() - first > SAME_SIGNAL_MS) {
        supervisor.kill()
        settle(1)
      }
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
