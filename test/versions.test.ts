import { connect } from 'node:net'
import { join } from 'node:path'
import { Link, PROTOCOL_VERSION, controlLink, type CallMap, type Control } from '@socklet/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startPlatform, type Platform } from './support/platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
})
afterAll(() => platform.close())

type Calls = { hello: { params: Record<string, unknown>; result: null } }

/** Says this to the pool as the first call of a link. */
async function hello(params: Record<string, unknown>): Promise<unknown> {
  const { link, control }: { link: Link; control: Control<Calls, CallMap> } = controlLink<Calls, CallMap>((on) => new Link(connect(join(platform.data, 'run/pool.sock')), on), {})
  const answer = await control.call('hello', params, 10_000).catch((error: unknown) => error)
  link.destroy()
  return answer
}

it('the pool refuses a gateway and a console that speak another version, says so, and keeps those that it has', async () => {
  const processes = async (): Promise<string[]> => (await platform.processes()).map(({ kind, pid }) => `${kind} ${pid}`)
  const before = (await processes()).filter((one) => !one.startsWith('trial'))
  const refusal = (version: unknown): unknown => expect.objectContaining({ name: 'CallError', code: 'version', message: `the pool speaks version ${PROTOCOL_VERSION}, not ${String(version)}` })
  for (const version of [PROTOCOL_VERSION + 1, 0, undefined, String(PROTOCOL_VERSION)]) {
    expect(await hello({ gateway: 0, version, pid: 1 })).toEqual(refusal(version))
    expect(await hello({ version, pid: 1 })).toEqual(refusal(version))
  }
  expect(await processes()).toEqual(expect.arrayContaining(before))
  await platform.app('echo', { say: 'export default () => "said"' })
  expect((await platform.request('echo', '/say')).text).toBe('said')
})
