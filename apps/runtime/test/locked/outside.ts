/*
 * Runs in a worker's sandbox, but without Node's permission model and without our lock: what is within reach of native code, such
 * as an attacker has who broke out of V8? Each line of the standard error is the name of an attempt and what came of it.
 * Arguments: the data folder, a TCP port that is listened to, a Unix socket that is, the process that started all this, a file that workers
 * read, and, if not all is to be tried, the names of what is.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { pathToFileURL } from 'node:url'

const [folder, port, socket, starter, readable, ...only] = process.argv.slice(2) as [string, string, string, string, string, ...string[]]
const program = pathToFileURL(readable)
const root = new URL('../../../../', import.meta.url)
const run = (command: string, ...args: string[]): string => {
  const { error, status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(`exit code ${status}`)
  return stdout
}
const connected = (...args: [port: number, host: string] | [path: string]): Promise<unknown> => once((connect as (...args: unknown[]) => ReturnType<typeof connect>)(...args), 'connect')
/** What is in a folder but what leads to the program, which may be there. @throws Error if nothing is */
function strangers(path: string): string[] {
  const names = readdirSync(path).filter((name) => !program.pathname.startsWith(`${path}/${name}/`))
  if (names.length === 0) throw new Error('empty')
  return names
}

/** Small numbers are this process's own threads, which take signals as well. */
const others = (): number[] => Array.from({ length: 65_536 }, (_, pid) => pid).filter((pid) => pid > 1_000 && pid !== process.pid && signals(pid))

function signals(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const attempts: Record<string, () => unknown> = {
  'read the admin token': () => readFileSync(`${folder}/admin-token`),
  'list the data folder': () => readdirSync(folder),
  'list the place where it is by default': () => readdirSync(new URL('.socklet/', root)),
  'read the passwords': () => readFileSync('/etc/shadow'),
  'read the users': () => readFileSync('/etc/passwd'),
  'list the home of root': () => strangers('/root'),
  'list the homes': () => strangers('/home'),
  'list the temporary files': () => strangers('/tmp'),
  'read what lies beside the program': () => readFileSync(new URL('README.md', root)),
  'read the source of the platform': () => readFileSync(new URL('apps/runtime/src/worker/main.ts', root)),
  'read the history of the program': () => readdirSync(new URL('.git/', root)),
  'list processes': () => readdirSync('/proc'),
  'list devices': () => readdirSync('/dev'),
  'list what the kernel shows': () => readdirSync('/sys'),
  'start a shell': () => run('/bin/sh', '-c', 'true'),
  'write a file': () => writeFileSync('/socklet-attack', ''),
  'write a temporary file': () => writeFileSync('/tmp/socklet-attack', ''),
  'write beside the program': () => writeFileSync(new URL('attack.ts', program), ''),
  'change the program': () => writeFileSync(program, readFileSync(program)),
  'change Node': () => writeFileSync(process.execPath, ''),
  'see an environment': () => { if (Object.keys(process.env).filter((name) => name !== 'PWD').length === 0) throw new Error('empty') },
  'connect by TCP': () => connected(Number(port), '127.0.0.1'),
  'connect to a Unix socket': () => connected(socket),
  'have a network': () => { if (Object.keys(networkInterfaces()).filter((name) => name !== 'lo').length === 0) throw new Error('none') },
  'send to another machine': () => connected(9, '192.0.2.1'),
  'signal who started it': () => process.kill(Number(starter), 'SIGKILL'),
  'signal its parent': () => { if (process.ppid > 1) process.kill(process.ppid, 'SIGKILL'); else throw new Error('there is none but process 1') },
  'see another process': () => { if (others().length === 0) throw new Error('none') },
  'take the privileges of another namespace': () => run(process.execPath, '-e', `process.setuid(0)`)
}

// It is what it claims to be: these do work here, and do not with the permission model.
const controls: Record<string, () => unknown> = {
  'control: read its own program': () => createHash('sha256').update(readFileSync(program)).digest(),
  'control: start another Node': () => run(process.execPath, '-p', '1'),
  'control: find the folder of the program': () => realpathSync(root)
}

for (const [name, attempt] of Object.entries({ ...attempts, ...controls })) {
  if (only.length > 0 && !only.includes(name)) continue
  const outcome = await Promise.race([(async () => attempt())().then(() => 'done', (error: NodeJS.ErrnoException) => `refused ${error.code ?? error.message}`), new Promise((resolve) => setTimeout(resolve, 2_000, 'refused: nothing happened'))])
  process.stderr.write(`${name}: ${outcome}\n`)
}
process.stderr.write('end\n')
process.exit()
