import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
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

  // These printed the stack of an error, twice, and none of them named the option or the file to look at.
  it('says in one line that a port is in use, or an address is none of this machine’s', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const taken = String((server.address() as AddressInfo).port)
    const place = `port ${taken} of 127.0.0.1 is in use: give another one with`
    const free = ['--port', '0', '--console-port', '0']
    const cases: [args: string[], says: string][] = [
      [['--port', taken, '--console-port', '0'], `${place} --port (SOCKLET_PORT)`],
      [['--port', '0', '--console-port', taken], `${place} --console-port (SOCKLET_CONSOLE_PORT)`],
      [[...free, '--host', '192.0.2.7'], 'this machine has no address 192.0.2.7: give one that it has with --host (SOCKLET_HOST)'],
      [[...free, '--console-host', 'no.invalid'], 'no address is known for the name no.invalid: give another one with --console-host (SOCKLET_CONSOLE_HOST)']
    ]
    try {
      for (const [args, says] of cases) expect(await socklet(['start', '--data', folder, ...args])).toEqual({ code: 1, out: '', err: `socklet: cannot start: ${says}` })
    } finally {
      server.close()
    }
    // Free now, but not for both.
    const { err } = await socklet(['start', '--data', folder, '--port', taken, '--console-port', taken])
    expect(err).toBe(`socklet: cannot start: ${place} --console-port (SOCKLET_CONSOLE_PORT)`)
  })

  it.each(['catalog.db', 'logs.db', 'shared.db'])('says in one line that %s is damaged', async (file) => {
    await writeFile(join(folder, file), 'no database, '.repeat(1_000))
    const { code, err } = await socklet(['start', '--data', folder, '--port', '0', '--console-port', '0'])
    expect({ code, err }).toEqual({ code: 1, err: `socklet: cannot use the data folder ${folder}: ${file} cannot be read: file is not a database` })
  })
})
