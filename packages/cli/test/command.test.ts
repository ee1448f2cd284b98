import { rm } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OPTIONS } from '@socklet/config'
import { newFolder, socklet } from './process.ts'

describe('the socklet command', () => {
  let folder: string
  beforeEach(async () => {
    folder = await newFolder()
  })
  afterEach(async () => {
    await rm(folder, { recursive: true })
  })

  it('tells how it is used', async () => {
    for (const args of [[], ['--help'], ['-h']]) {
      const { code, out, err } = await socklet(args)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toContain('socklet start [options]')
    }
  })

  it('tells all options of start, with their environment names', async () => {
    const { code, out } = await socklet(['start', '--port', 'x', '--help'])
    expect(code).toBe(0)
    for (const [name, { env }] of Object.entries(OPTIONS)) {
      expect(out).toContain(name)
      expect(out).toContain(`[${env}]`)
    }
  })

  it('tells its version', async () => {
    expect(await socklet(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
  })

  it.each([
    [['strat'], {}, 'there is no command "strat"', 'socklet --help'],
    [['--bogus'], {}, 'there is no command "--bogus"', 'socklet --help'],
    [['start', '--bogus'], {}, "Unknown option '--bogus'", 'socklet start --help'],
    [['start', 'now'], {}, "Unexpected argument 'now'", 'socklet start --help'],
    [['start', '--port', 'x'], {}, '--port takes a whole number from 0 to 65535, not "x"', 'socklet start --help'],
    [['start', '--port', '65536'], {}, '--port takes a whole number', 'socklet start --help'],
    [['start', '--data'], {}, "Option '--data <value>' argument missing", 'socklet start --help'],
    [['start', '--admin-token', 'two words'], {}, '--admin-token takes visible ASCII characters without spaces\n', 'socklet start --help'],
    [['start'], { SOCKLET_ADMIN_TOKEN: 'pässwort' }, 'SOCKLET_ADMIN_TOKEN takes visible ASCII', 'socklet start --help'],
    [['start'], { SOCKLET_METRICS_TOKEN: 'a\tb' }, 'SOCKLET_METRICS_TOKEN takes visible ASCII', 'socklet start --help'],
    [['start'], { SOCKLET_GATEWAYS: '0' }, 'SOCKLET_GATEWAYS takes a whole number from 1', 'socklet start --help'],
    [['start'], { SOCKLET_DEMO: 'maybe' }, 'SOCKLET_DEMO takes true or false', 'socklet start --help']
  ])('refuses %j with %j', async (args, env, message, hint) => {
    const { code, out, err } = await socklet(args, env, folder)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(`socklet: ${message}`)
    expect(err).toContain(hint)
    expect(err).not.toMatch(/^\s+at /m)
  })

  it('says so when the data folder cannot be used', async () => {
    const { code, err } = await socklet(['start', '--data', '/dev/null/data'])
    expect(code).toBe(1)
    expect(err).toMatch(/^socklet: cannot use the data folder \/dev\/null\/data: ENOTDIR/)
    expect(err).not.toMatch(/^\s+at /m)
  })
})
