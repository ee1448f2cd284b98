/*
 * Runs in the place of a worker's program, in a process that is started as a worker is: what is within reach of code in its own
 * Node context? Each line of the standard error is the name of an attempt and what came of it.
 */
import { spawn, spawnSync, fork } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import type { EventEmitter } from 'node:events'
import { readFileSync, readdirSync, symlinkSync, writeFileSync, openSync } from 'node:fs'
import inspector from 'node:inspector'
import { createServer, connect } from 'node:net'
import { createTracing } from 'node:trace_events'
import { writeHeapSnapshot } from 'node:v8'
import { WASI } from 'node:wasi'
import { Worker } from 'node:worker_threads'

process.on('uncaughtException', () => {})
const event = (emitter: EventEmitter, name: string): Promise<unknown> => new Promise((resolve, reject) => emitter.once('error', reject).once(name, resolve))
const outside = '/tmp/socklet-attack'

const attempts: Record<string, () => unknown> = {
  'read a file of the system': () => readFileSync('/etc/passwd'),
  'read what lies beside the program': () => readFileSync(new URL('../../../../README.md', import.meta.url)),
  'read its own environment in /proc': () => readFileSync('/proc/self/environ'),
  'read the memory map of its parent': () => readFileSync(`/proc/${process.ppid}/maps`),
  'list the root folder': () => readdirSync('/'),
  'read the source of the platform': () => readFileSync(new URL('../../src/worker/main.ts', import.meta.url)),
  'write a file': () => writeFileSync(outside, ''),
  'write into the program': () => writeFileSync(new URL(import.meta.url), ''),
  'open a file to write': () => openSync(outside, 'w'),
  'make a symbolic link': () => symlinkSync('/etc/passwd', outside),
  'write a database': async () => new (await import('node:sqlite')).DatabaseSync(outside).exec('CREATE TABLE a (b)'),
  'attach a database': async () => new (await import('node:sqlite')).DatabaseSync(':memory:').exec(`ATTACH '${outside}' AS a; CREATE TABLE a.b (c)`),
  'write a heap snapshot': () => writeHeapSnapshot(outside),
  'write a report': () => process.report.writeReport(outside),
  'start a program': () => event(spawn('/bin/true'), 'spawn'),
  'start a program and wait': () => { const { error } = spawnSync('/bin/true'); if (error) throw error },
  'start another Node': () => event(fork(new URL(import.meta.url)), 'spawn'),
  'become another program': () => process.execve!('/bin/true', ['true'], {}),
  'start a thread': () => event(new Worker('', { eval: true }), 'online'),
  'connect by TCP': () => event(connect(Number(process.argv[3]), '127.0.0.1'), 'connect'),
  'connect to a Unix socket': () => event(connect(process.argv[4]!), 'connect'),
  'listen by TCP': () => event(createServer().listen(0), 'listening'),
  'listen on a Unix socket': () => event(createServer().listen(outside), 'listening'),
  'listen on an abstract socket': () => event(createServer().listen('\0socklet-attack'), 'listening'),
  'send by UDP': () => { const socket = createSocket('udp4'); return new Promise((resolve, reject) => { socket.on('error', reject); socket.bind(0, () => resolve(null)) }) },
  'fetch': () => fetch(`http://127.0.0.1:${process.argv[3]}/`),
  'look a name up': () => lookup('localhost'),
  'open the inspector': () => inspector.open(0),
  'inspect itself': () => new inspector.Session().connect(),
  'trace into a file': () => createTracing({ categories: ['node'] }).enable(),
  'use WASI': () => new WASI({ version: 'preview1', preopens: { '/': '/' } }),
  'use internal bindings': () => (process as unknown as { binding: (name: string) => unknown }).binding('spawn_sync'),
  'load a library that it wrote': () => process.dlopen({ exports: {} }, outside),
  'see an environment': () => { if (Object.keys(process.env).length === 0) throw new Error('empty') },
  'signal its parent': () => process.kill(process.ppid, 0),
  'signal its group': () => process.kill(0, 0),
  'open the inspector of its parent': () => (process as unknown as Record<'_debugProcess', (pid: number) => void>)['_debugProcess'](process.ppid)
}

for (const [name, attempt] of Object.entries(attempts)) {
  const outcome = await Promise.race([(async () => attempt())().then(() => 'done', (error: NodeJS.ErrnoException & { cause?: { code?: string } }) => `refused ${error.code ?? error.cause?.code ?? error.message}`), new Promise((resolve) => setTimeout(resolve, 2_000, 'refused: nothing happened'))])
  process.stderr.write(`${name}: ${outcome}\n`)
}
process.stderr.write('end\n')
process.exit()
