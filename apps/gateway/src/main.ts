/** The gateway as a process of its own. */
import { DATA, enterDataFolder, readOptions } from '@socklet/config'
import { runAsChild, SUPERVISED_ENV } from '@socklet/protocol'
import { setFlagsFromString } from 'node:v8'
import { createGateway } from './gateway.ts'

// What is read from sockets is memory outside the heap. V8 collects all garbage whenever some ten megabytes of it have come together,
// twenty times a second under load; with this it waits for as much as it lets the heap itself grow.
setFlagsFromString('--external-memory-accounted-in-global-limit')
// The heap itself is small, so that is little: with large messages all of it was collected after each 25 MiB, and while V8 marks what is in use it does not collect the new objects
// alone, which would have been enough. At three times of what was in use it does that first (64 KiB, 16 clients: 160 µs of all processes for a message in place of 250).
setFlagsFromString('--external-memory-max-growing-factor=3')
setFlagsFromString('--heap-growing-percent=200')

const options = readOptions(process.argv.slice(2), process.env)
const index = Number(process.env['SOCKLET_INDEX'] ?? 0)
enterDataFolder(options.data)

const gateway = createGateway({
  index,
  host: options.host,
  port: options.port,
  domain: options.domain,
  trustProxy: options['trust-proxy'],
  queueBytes: options['queue-mib'] * 1024 * 1024,
  sendBufferBytes: options['send-buffer-mib'] * 1024 * 1024,
  reusePort: options.gateways > 1,
  poolSocket: DATA.poolSocket,
  linkSocket: DATA.gatewaySocket(index),
  times: { heartbeat: options['ping-seconds'] * 1000 },
  supervised: process.env[SUPERVISED_ENV] !== undefined
})
const child = runAsChild({ stop: gateway.stop, onPlatform: ({ ready }) => gateway.setPlatform(ready) })
child.ready(await gateway.listen())
