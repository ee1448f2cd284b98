import { OPTIONS, type Options } from './options.ts'

type Name = keyof Options

/** Who listens on a port, with the options that say where. */
export const LISTENERS = {
  gateway: { host: 'host', port: 'port' },
  console: { host: 'console-host', port: 'console-port' }
} as const satisfies Record<string, { host: Name; port: Name }>

export type Listener = keyof typeof LISTENERS

/** Why nobody can listen there, in a line that names the option to change. null if the error is none of listening. */
export function listenProblem(error: unknown, listener: Listener, options: Options): string | null {
  const { host, port } = LISTENERS[listener]
  const place = `port ${options[port]} of ${options[host]}`
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return `${place} is in use: give another one with ${named(port)}`
  if (code === 'EACCES') return `this user may not listen on ${place}: give another one with ${named(port)}`
  if (code === 'EADDRNOTAVAIL') return `this machine has no address ${options[host]}: give one that it has with ${named(host)}`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `no address is known for the name ${options[host]}: give another one with ${named(host)}`
  return null
}

function named(name: Name): string {
  return `--${name} (${OPTIONS[name].env})`
}
