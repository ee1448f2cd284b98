import { afterAll, afterEach, beforeAll, describe, it } from 'vitest'
import { startPlatform, type Platform } from '../support/platform.ts'
import { attacksOf, type ClientAttack } from './attack.ts'
import { startBystander, PLATFORM_TOKEN, type Bystander } from './bystander.ts'

const attacks = (await Promise.all(['gateway', 'console', 'outgoing'].map((group) => attacksOf<ClientAttack>(group)))).flat()

let platform: Platform
let bystander: Bystander
beforeAll(async () => {
  platform = await startPlatform({ args: ['--workers', '1'], env: { SOCKLET_ADMIN_TOKEN: PLATFORM_TOKEN } })
  bystander = await startBystander(platform)
  await platform.app('other', { __websocket__: 'export function main() {}', f: `export default () => 'f of other'` })
})
afterAll(async () => {
  await bystander?.close()
  await platform.close()
})
afterEach(() => bystander.expectWell())

describe.each(attacks)('%s', (_file, { name, variants, open = {} }) => {
  for (const [variant, run] of Object.entries(variants)) (variant in open ? it.fails : it)(`${name}: ${variant}`, () => run(platform))
})
