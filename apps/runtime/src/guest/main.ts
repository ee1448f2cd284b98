/**
 * The guest: our code in each isolate, in front of the tenant's. It is bundled into one script, from which a V8
 * snapshot is made; `__socklet_boot` is what the host calls once in an isolate that starts from it.
 */
// oxlint-disable typescript/no-require-imports -- the bundler's, see globals/index.ts
import type { Limits } from '@socklet/config'
import { TurnWord, type GuestEntries, type GuestRelease } from '../turn-layout.ts'
import { noteCame } from './asked-text.ts'
import { cloudModule, makeCloud } from './cloud.ts'
import { setChunks } from './chunks.ts'
import { console } from './console.ts'
import { makeDispatcher } from './dispatcher.ts'
import { setFetchLimit } from './fetch/channel.ts'
import { Buffer } from './globals/buffer.ts'
import { setHostTimers } from './globals/host-timers.ts'
import { installGlobals } from './globals/index.ts'
import { nodeModules } from './globals/node-modules.ts'
import { harden } from './harden.ts'
import { describeError, setLogLimits } from './log.ts'
import { openMailbox, type Mailbox } from './mailbox.ts'
import { shortenToString } from './message.ts'
import { addModules, compileAhead, makeProgram, type PlatformModules, type Program } from './modules.ts'
import { beginTurn, setWord, turnResult, wholeResult, wordIsSet } from './outbox.ts'
import { NativeUint8Array, bareObject, jsonParse, jsonStringify, objectDefine, objectKeys, ours, setForEach, takeNewest } from './primordials.ts'
import { makeProcess } from './process.ts'
import { installHooks } from './shared/hooks.ts'
import { setSharedLimits } from './shared/quota.ts'
import { beginSharedTurn, sweepDeadline, sweepIfDue, writeAll } from './shared/settle.ts'
import { makeShared } from './shared/shared.ts'
import { lookAtData } from './socket-data.ts'
import { Sockets, countExtras, socketFor } from './sockets.ts'
import { WebSocket, connectionOf } from './socket.ts'
import { addDeadline, reportTimers, runTimers, setTimerLimit, timerGlobals, timersAreDue } from './timers.ts'
import { setTokenSecret } from './token-secret.ts'
import { tryFunction } from './trial.ts'
import { WEBSOCKET } from './websocket-events.ts'

type RandomBytes = (count: number) => ArrayBuffer

let randomBytes: RandomBytes = () => {
  throw new Error('randomness is there once the isolate has started')
}
installGlobals(globalThis, { randomBytes: (count) => new NativeUint8Array(randomBytes(count)) })
shortenToString(Buffer.prototype as unknown as { toString: (...args: unknown[]) => string })

function defineGlobal(name: string, value: unknown): void {
  objectDefine(globalThis, name, { value, writable: true, configurable: true, enumerable: false })
}
for (const [name, value] of Object.entries(timerGlobals)) defineGlobal(name, value)
setHostTimers(timerGlobals)
defineGlobal('console', console)
defineGlobal('WebSocket', WebSocket)
installHooks()
addDeadline(sweepDeadline)

function boot(random: RandomBytes, chunks: string): GuestEntries {
  randomBytes = random
  setChunks(chunks)
  delete (globalThis as unknown as Record<string, unknown>)['__socklet_boot']
  takeNewest()
  harden()
  installHooks()
  const env: Record<string, string> = {}
  defineGlobal('process', makeProcess(env))
  let limits: Limits | null = null
  let program: Program = { functions: bareObject() }
  let loaded = ''
  const sockets = new Sockets()
  const platform = makePlatform()
  const shared = makeShared()
  let cloud: object | null = null
  platform['@lafjs/cloud'] = platform['@/cloud-sdk'] = platform['@socklet/cloud'] = () => cloudModule(cloud!)
  const dispatcher = makeDispatcher({ program: () => program, platform, sockets, handlerMs: () => limits!.handlerMs })

  function load(releaseJson: string, ...codes: string[]): string {
    try {
      const release = jsonParse(releaseJson) as GuestRelease
      limits = release.limits
      cloud ??= makeCloud({ appid: release.appid, shared, sockets, env, program: () => program, platform })
      setTimerLimit(limits.timers)
      setFetchLimit(limits.fetches)
      setLogLimits(limits.logLinesPerSecond, limits.logLineBytes)
      setSharedLimits(limits.sharedBytes, limits.sharedKeys)
      setTokenSecret(release.secret)
      // Other limits alone do not start the modules anew. Another environment does: they may have read it while they loaded.
      const content = contentOf(release)
      if (content === loaded) return ''
      loaded = content
      replaceEnv(env, release.env)
      addModules(platform, release.modules)
      program = makeProgram(release, codes)
      compileAhead(program, WEBSOCKET)
      return ''
    } catch (error) {
      return describeError(error)
    }
  }

  function runTurn(mailbox: Mailbox | null): void {
    sweepIfDue()
    dispatcher.expire()
    if (timersAreDue()) void runTurnWithTimers(mailbox)
    else dispatcher.run(mailbox, reportTimers)
  }

  async function runTurnWithTimers(mailbox: Mailbox | null): Promise<void> {
    await ours(runTimers(dispatcher.settleDown))
    dispatcher.run(mailbox, reportTimers)
  }

  function turn(acknowledged: number, bytes: ArrayBuffer | undefined, length: number, latin1: string | string[] | undefined, texts: string[] | undefined): ArrayBuffer | unknown[] {
    beginTurn(acknowledged)
    const mailbox = length === 0 ? null : openMailbox(bytes, length, typeof latin1 === 'object' ? latin1[0] : latin1, texts)
    noteCame(mailbox)
    const pending = wordIsSet(TurnWord.PENDING)
    beginSharedTurn(pending, pending || length > 0 || wordIsSet(TurnWord.TIMERS))
    runTurn(mailbox)
    return turnResult()
  }

  function restore(records: ArrayBuffer): string {
    const { restoreShared } = require('./shared/restore.ts') as typeof import('./shared/restore.ts')
    return restoreShared(new NativeUint8Array(records), (id) => socketFor(sockets, id))
  }

  function rest(acknowledged: number, forget: ArrayBuffer | undefined): unknown[] {
    beginTurn(acknowledged)
    if (forget !== undefined) (require('./shared/forget.ts') as typeof import('./shared/forget.ts')).forgetKey(shared, new NativeUint8Array(forget))
    setForEach(sockets, (socket) => lookAtData(connectionOf(socket)))
    setWord(TurnWord.EXTRAS, countExtras(sockets))
    writeAll()
    return wholeResult()
  }

  return { turn, more: wholeResult, load, restore, rest, trial: (name) => tryFunction(program, name, platform) }
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
  platform['ws'] = once(() => (require('./ws-module.ts') as typeof import('./ws-module.ts')).wsModule(platform))
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
  const before = objectKeys(env)
  for (let i = 0; i < before.length; i++) delete env[before[i]!]
  const names = objectKeys(values)
  for (let i = 0; i < names.length; i++) env[names[i]!] = values[names[i]!]!
}

objectDefine(globalThis, '__socklet_boot', { value: boot, configurable: true, writable: true, enumerable: false })
