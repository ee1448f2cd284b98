/** The gateway as a process of its own. */
import { DATA, enterDataFolder, readOptions } from '@socklet/config'
import { runAsChild, SUPERVISED_ENV } from '@socklet/protocol'
import { createGateway } from './gateway.ts'

const options = readOptions(process.argv.slice(2), process.env)
const index = Number(process.env['SOCKLET_INDEX'] ?? 0)
enterDataFolder(options.data)

const gateway = createGateway({
  index,
  host: options.host,
  port: options.port,
  domain: options.domain,
  trustProxy: options['trust-proxy'],
  sendBufferBytes: options['send-buffer-mib'] * 1024 * 1024,
  reusePort: options.gateways > 1,
  poolSocket: DATA.poolSocket,
  linkSocket: DATA.gatewaySocket(index),
  times: { heartbeat: options['ping-seconds'] * 1000 },
  supervised: process.env[SUPERVISED_ENV] !== undefined
})
const child = runAsChild({ stop: gateway.stop, onPlatform: gateway.setPlatform })
child.ready(await gateway.listen())
