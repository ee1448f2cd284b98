/** The gateway as a process of its own. */
import { DATA, enterDataFolder, readOptions } from '@socklet/config'
import { runAsChild, SUPERVISED_ENV } from '@socklet/protocol'
import { setFlagsFromString } from 'node:v8'
import { createGateway } from './gateway.ts'

// What is read from sockets is memory outside the heap. V8 collects all garbage whenever some ten megabytes of it have come together,
// twenty times a second under load; with this it waits for as much as it lets the heap itself grow.
setFlagsFromString('--external-memory-accounted-in-global-limit')

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
