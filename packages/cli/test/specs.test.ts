import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readOptions } from '@socklet/config'
import { platformChildren } from '../src/supervisor/specs.ts'

const ENV = { PATH: '/bin', HOME: '/home/x', TZ: 'UTC', AWS_SECRET_ACCESS_KEY: 'cloud secret', NODE_OPTIONS: '--inspect', SOCKLET_UNKNOWN: 'unknown' }
const ARGS = ['--port', '1', '--data', '/data', '--admin-token', 'admin-secret', '--metrics-token', 'metrics-secret', '--mongodb-url', 'mongodb://secret', '--no-demo']

function secretsIn(env: Record<string, string>): string[] {
  return Object.keys(env).filter((name) => env[name]!.includes('secret'))
}

describe('the processes of the platform', () => {
  const children = platformChildren(readOptions([...ARGS, '--gateways', '2'], {}), ENV)
  const envOf = (name: string): Record<string, string> => children.find((child) => child.name === name)!.env

  it('start in this order', () => {
    expect(children.map((child) => [child.kind, child.name])).toEqual([
      ['pool', 'pool'],
      ['gateway', 'gateway-0'],
      ['gateway', 'gateway-1'],
      ['console', 'console']
    ])
    for (const child of children) expect(existsSync(dirname(child.script))).toBe(true)
  })

  it('get the options, and of the environment what is not secret', () => {
    expect(envOf('gateway-1')).toEqual({
      PATH: '/bin',
      HOME: '/home/x',
      TZ: 'UTC',
      SOCKLET_SUPERVISED: '1',
      NODE_COMPILE_CACHE: 'compiled',
      SOCKLET_INDEX: '1',
      SOCKLET_PORT: '1',
      SOCKLET_CONSOLE_PORT: '8081',
      SOCKLET_HOST: '127.0.0.1',
      SOCKLET_CONSOLE_HOST: '127.0.0.1',
      SOCKLET_DATA: '.',
      SOCKLET_DOMAIN: 'localhost',
      SOCKLET_WORKERS: '0',
      SOCKLET_WORKER_MEMORY_MIB: '0',
      SOCKLET_GATEWAYS: '2',
      SOCKLET_TRUST_PROXY: 'false',
      SOCKLET_SANDBOX: 'auto',
      SOCKLET_QUEUE_MIB: '256',
      SOCKLET_SEND_BUFFER_MIB: '512',
      SOCKLET_PING_SECONDS: '30',
      SOCKLET_ALLOW_PRIVATE_FETCH: 'false',
      SOCKLET_DEMO: 'false'
    })
  })

  it('get only those secrets that they need', () => {
    expect(secretsIn(envOf('gateway-0'))).toEqual([])
    expect(secretsIn(envOf('pool'))).toEqual(['SOCKLET_MONGODB_URL'])
    expect(secretsIn(envOf('console')).toSorted()).toEqual(['SOCKLET_ADMIN_TOKEN', 'SOCKLET_METRICS_TOKEN', 'SOCKLET_MONGODB_URL'])
  })

  it('read back the options they are given', () => {
    const options = readOptions([], envOf('console'))
    expect(options).toEqual({ ...readOptions([...ARGS, '--gateways', '2'], {}), data: '.' })
  })
})
