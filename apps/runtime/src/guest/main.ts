/**
 * The guest: our code in each isolate, in front of the tenant's. It is bundled into one script, from which a V8
 * snapshot is made; `__socklet_boot` is what the host calls once in an isolate that starts from it.
 */
import type { GuestConfig, GuestEntries, GuestRelease } from '../turn-layout.ts'
import { cloudModule, makeCloud } from './cloud.ts'
import { console } from './console.ts'
import { makeDispatcher } from './dispatcher.ts'
import { installGlobals } from './globals/index.ts'
import { nodeModules } from './globals/node-modules.ts'
import { harden } from './harden.ts'
import { describeError, setLogLimits } from './log.ts'
import { openMailbox, type Mailbox } from './mailbox.ts'
import { shortenToString } from './message.ts'
import { addModules, makeProgram, type PlatformModules } from './modules.ts'
import { beginTurn } from './outbox.ts'
import { NativeUint8Array, bareObject, jsonParse, jsonStringify, objectDefine, objectKeys } from './primordials.ts'
import { makeProcess } from './process.ts'
import { Sockets } from './sockets.ts'
import { WebSocket } from './socket.ts'
import { reportTimers, runTimers, setTimerLimit, timerGlobals } from './timers.ts'
import { wsModule } from './ws-module.ts'

type RandomBytes = (count: number) => ArrayBuffer
type BufferConstructor = { prototype: { toString: (...args: unknown[]) => string } } & (new (...args: never[]) => Uint8Array)

let randomBytes: RandomBytes = () => {
  throw new Error('randomness is there once the isolate has started')
}
installGlobals(globalThis, { randomBytes: (count) => new NativeUint8Array(randomBytes(count)) })
const { Buffer } = globalThis as unknown as { Buffer: BufferConstructor }
shortenToString(Buffer.prototype)

function defineGlobal(name: string, value: unknown): void {
  objectDefine(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
}
for (const [name, value] of Object.entries(timerGlobals)) defineGlobal(name, value)
defineGlobal('console', console)
defineGlobal('WebSocket', WebSocket)

function boot(configJson: string, random: RandomBytes): GuestEntries {
  randomBytes = random
  delete (globalThis as unknown as Record<string, unknown>)['__socklet_boot']
  harden()
  const config = jsonParse(configJson) as GuestConfig
  const env: Record<string, string> = {}
  defineGlobal('process', makeProcess(env))
  let limits = config.limits
  let program = makeProgram({ revision: 0, functions: [], modules: [], env: {}, limits })
  let loaded = ''
  let started = false
  const sockets = new Sockets()
  const platform = makePlatform()
  const cloud = makeCloud({ appid: config.appid, sockets, env, program: () => program, platform })
  platform['@lafjs/cloud'] = platform['@/cloud-sdk'] = platform['@socklet/cloud'] = () => cloudModule(cloud)
  const dispatcher = makeDispatcher({ program: () => program, platform, sockets, handlerMs: () => limits['handlerMs']!, Buffer })

  function load(releaseJson: string): string {
    try {
      const release = jsonParse(releaseJson) as GuestRelease
      limits = release.limits
      setTimerLimit(limits['timers']!)
      setLogLimits(limits['logLinesPerSecond']!, limits['logLineBytes']!)
      // Other limits alone do not start the modules anew. Another environment does: they may have read it while they loaded.
      const content = contentOf(release)
      if (content === loaded) return ''
      loaded = content
      replaceEnv(env, release.env)
      addModules(platform, release.modules)
      program = makeProgram(release)
      return ''
    } catch (error) {
      return describeError(error)
    }
  }

  async function runTurn(mailbox: Mailbox | null): Promise<void> {
    if (!started) {
      started = true
      dispatcher.init()
      await dispatcher.settleDown()
    }
    dispatcher.expire()
    await runTimers(dispatcher.settleDown)
    if (mailbox !== null) await dispatcher.run(mailbox)
    reportTimers()
  }

  function turn(acknowledged: number, bytes: ArrayBuffer | undefined, length: number, latin1: string | undefined, texts: string[] | undefined): unknown[] {
    const result = beginTurn(acknowledged)
    void runTurn(bytes === undefined ? null : openMailbox(bytes, length, latin1, texts))
    return result
  }

  return { turn, load }
}

/** The versions of the functions and the environment, to tell whether a release runs anything new. */
function contentOf({ functions, env }: GuestRelease): string {
  let content = jsonStringify(env)
  for (let i = 0; i < functions.length; i++) content += `\n${functions[i]!.name} ${functions[i]!.version}`
  return content
}

function makePlatform(): PlatformModules {
  const platform = bareObject<() => unknown>()
  for (const name of objectKeys(nodeModules)) platform[name] = once(nodeModules[name]!)
  platform['ws'] = once(() => wsModule(platform))
  platform['process'] = () => (globalThis as unknown as { process: object }).process
  return platform
}

function once(make: () => unknown): () => unknown {
  let made: unknown
  let done = false
  return () => {
    if (!done) made = make()
    done = true
    return made
  }
}

function replaceEnv(env: Record<string, string>, values: Record<string, string>): void {
  for (const name of objectKeys(env)) delete env[name]
  for (const name of objectKeys(values)) env[name] = values[name]!
}

objectDefine(globalThis, '__socklet_boot', { value: boot, configurable: true, writable: true, enumerable: false })
