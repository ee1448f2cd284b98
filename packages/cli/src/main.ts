import { OptionError } from '@socklet/config'
import { start } from './start.ts'
import { HELP, START_HELP, VERSION } from './text.ts'

/** The command line is not understood. */
const MISUSE = 2
const OLDEST_NODE = 26

process.exit(await run(process.argv.slice(2)))

async function run(argv: string[]): Promise<number> {
  const [command, ...rest] = argv
  if (command === undefined || command === '--help' || command === '-h' || command === 'help') return print(HELP)
  if (command === '--version' || command === '-v') return print(`${VERSION}\n`)
  if (command !== 'start') return misuse(`there is no command ${JSON.stringify(command)}`, 'socklet --help lists the commands')
  if (rest.includes('--help') || rest.includes('-h')) return print(START_HELP)
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    return misuse(`this is Node ${process.versions.node}, and Socklet needs ${OLDEST_NODE}`, 'npm start uses the one that npm has installed here')
  }
  try {
    return await start(rest, process.env)
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    return misuse(error.message, 'socklet start --help lists the options')
  }
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

function misuse(what: string, hint: string): number {
  process.stderr.write(`socklet: ${what}\n${hint}\n`)
  return MISUSE
}
