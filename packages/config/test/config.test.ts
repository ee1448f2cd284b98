import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS, LIMITS, LIMIT_NAMES, OPTIONS, effectiveLimits, isAppid, isEnvName, isFunctionName, optionsHelp, readOptions } from '../src/index.ts'

describe('options', () => {
  it('come from the command line, else from the environment, else they are the default', () => {
    const options = readOptions(['--port', '0', '--no-demo'], { SOCKLET_PORT: '1', SOCKLET_DOMAIN: 'example.com', SOCKLET_WORKERS: '' })
    expect(options).toMatchObject({ port: 0, demo: false, domain: 'example.com', workers: OPTIONS.workers.default, data: '.socklet', 'admin-token': null })
  })

  it.each([
    [['--port', '65536'], {}, '--port takes a whole number from 0 to 65535, not "65536"'],
    [['--port', '1e3'], {}, '--port'],
    [[], { SOCKLET_GATEWAYS: '0' }, 'SOCKLET_GATEWAYS takes a whole number from 1'],
    [[], { SOCKLET_DEMO: 'perhaps' }, 'SOCKLET_DEMO takes true or false'],
    [['--prot', '1'], {}, "Unknown option '--prot'"],
    // A worker that holds nothing takes 63 MiB: it was killed as soon as it had started, over and over.
    [['--worker-memory-mib', '32'], {}, '--worker-memory-mib takes 0 or a whole number from 128 to 1048576, not "32"'],
    [[], { SOCKLET_WORKER_MEMORY_MIB: '127' }, 'SOCKLET_WORKER_MEMORY_MIB takes 0 or a whole number from 128'],
    [['--data', ''], {}, '--data is empty'],
    [['--sandbox', 'chroot'], {}, '--sandbox takes auto, bwrap, none, not "chroot"'],
    [[], { SOCKLET_SANDBOX: 'yes' }, 'SOCKLET_SANDBOX takes auto, bwrap, none, not "yes"'],
    [['extra'], {}, "Unexpected argument 'extra'"]
  ])('are refused by name: %j %j', (argv, env, message) => {
    expect(() => readOptions(argv, env)).toThrow(message)
  })

  it('may be 0 where that stands for something else', () => {
    for (const given of ['0', '128', '1048576']) expect(readOptions(['--worker-memory-mib', given], {})['worker-memory-mib']).toBe(Number(given))
  })

  it('all stand in the help, with their environment names', () => {
    for (const [name, { env }] of Object.entries(OPTIONS)) expect(optionsHelp()).toMatch(new RegExp(`${name}\\b.*\\[${env}\\]`))
  })
})

describe('names', () => {
  it.each(['abc', 'a-b', 'a12', 'demo', 'a'.repeat(32)])('%s is an appid', (name) => expect(isAppid(name)).toBe(true))
  it.each(['', 'a', 'ab', 'Abc', '1a', 'a-', '-a', 'a_b', 'a.b', 'a'.repeat(33), 'readyz', 'healthz', 'a\n', '__proto__'])('%j is none', (name) => expect(isAppid(name)).toBe(false))
  it.each(['f', '__websocket__', 'a/b', 'a.b', 'a-b', '_', 'a/b/c.d', 'x'.repeat(256)])('%s is a function name', (name) => expect(isFunctionName(name)).toBe(true))
  it.each(['', '/a', 'a/', './a', 'a/./b', '../a', 'a/../b', 'a/..', '..', '.', 'a b', 'ä', 'a\u0000', 'x'.repeat(257), 'a?b'])('%j is none', (name) => expect(isFunctionName(name)).toBe(false))
  it.each(['A', '_a', 'NODE_ENV'])('%s is an env name', (name) => expect(isEnvName(name)).toBe(true))
  it.each(['', '1A', 'A-B', 'A=B', 'A'.repeat(129)])('%j is none', (name) => expect(isEnvName(name)).toBe(false))
})

describe('limits', () => {
  it('have defaults within their bounds', () => {
    for (const name of LIMIT_NAMES) {
      const { min, max } = LIMITS[name]
      expect(DEFAULT_LIMITS[name]).toBeGreaterThanOrEqual(min)
      expect(DEFAULT_LIMITS[name]).toBeLessThanOrEqual(max)
    }
  })
  it('of an app are the defaults but for its own', () => {
    expect(effectiveLimits({ timers: 3 })).toEqual({ ...DEFAULT_LIMITS, timers: 3 })
  })
})
