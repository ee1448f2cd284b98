import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { optionsHelp, type Options } from '@socklet/config'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

export const VERSION = version

export const HELP = `Socklet hosts many tenants' WebSocket functions on one platform.

usage: socklet start [options]   start the platform in the foreground
       socklet start --help      list the options
       socklet --version
       socklet --help
`

export const START_HELP = `usage: socklet start [options]

Starts the whole platform in the foreground; Ctrl-C stops it. An option goes before its environment variable:

${optionsHelp()}
`

export interface Started {
  options: Options
  /** Where clients connect, and where the console is. */
  gatewayPort: number
  consolePort: number
  token: string
  tokenSource: string
  /** Absolute. */
  folder: string
}

/** What is printed when the platform works. The last line says so. */
export function startedText({ options, gatewayPort, consolePort, token, tokenSource, folder }: Started): string {
  const lines = [
    `Socklet ${VERSION}`,
    `  gateway      http://${authority(options.host, gatewayPort)}`,
    `  console      http://${authority(options['console-host'], consolePort)}`,
    `  admin token  ${token} (${tokenSource})`,
    `  data         ${folder}`
  ]
  if (options.demo) lines.push('Try the demo:', `  ${demoLine(authority(options.host, gatewayPort))}`)
  return [...lines, 'ready', ''].join('\n')
}

/** npx, because this project's Node has WebSocket whatever the machine's has. */
function demoLine(where: string): string {
  const program = `const s = new WebSocket('ws://${where}/demo/__websocket__'); s.onmessage = (m) => console.log(m.data); s.onopen = () => s.send('hi')`
  return `npx node -e "${program}"`
}

/** An address that listens everywhere is none that one can go to. */
function authority(host: string, port: number): string {
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${isIPv6(address) ? `[${address}]` : address}:${port}`
}
