import { openCatalog } from '@socklet/catalog'
import { DATA, OptionError, enterDataFolder, listenProblem, readOptions, type Options } from '@socklet/config'
import { SUPERVISED_ENV, runAsChild } from '@socklet/protocol'
import { appUrls } from './app-url.ts'
import { startConsole, type Console } from './console.ts'
import { log } from './log.ts'

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env)
  const adminToken = options['admin-token']
  // Only whoever starts the whole platform makes a token; here it would be one that nobody gets to see.
  if (adminToken === null) throw new OptionError('the console needs the admin token: set SOCKLET_ADMIN_TOKEN, or give --admin-token')
  const supervised = process.env[SUPERVISED_ENV] !== undefined
  enterDataFolder(options.data)
  let running: Promise<Console> | undefined
  const child = runAsChild({
    stop: async (graceMs) => await (await running)?.stop(graceMs),
    onPlatform: (state) => void running?.then((it) => it.setPlatform(state))
  })
  running = start(options, adminToken, supervised).catch((error: unknown) => {
    const problem = listenProblem(error, 'console', options)
    throw problem === null ? error : new OptionError(problem)
  })
  const { port, usable } = await running
  log(`listening on ${options['console-host']}:${port}`)
  await usable
  child.ready(port)
}

async function start(options: Options, adminToken: string, supervised: boolean): Promise<Console> {
  return await startConsole({
    host: options['console-host'],
    port: options['console-port'],
    catalog: await openCatalog(options),
    poolSocket: DATA.poolSocket,
    sharedStore: DATA.shared,
    adminToken,
    metricsToken: options['metrics-token'],
    appUrl: appUrls(options),
    supervised,
    demo: options.demo
  })
}

main().catch((error: unknown) => {
  log('cannot start', error instanceof OptionError ? error.message : error)
  process.exit(1)
})
