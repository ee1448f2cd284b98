import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from './backend.ts'
import { observe } from './harness.ts'
import { startSocklet } from './platform-backend.ts'
import { rows } from './rows/index.ts'
import { startWs } from './ws-backend.ts'

describe.each([
  ['ws', startWs],
  ['socklet', startSocklet]
])('%s', (name, start) => {
  let backend: Backend | undefined
  beforeAll(async () => {
    backend = await start()
  })
  afterAll(() => backend?.close())

  const ours = name === 'socklet'
  const cases = rows.filter((row) => ours || row.onlyOurs !== true).map((row) => [`${row.member}: ${row.says}`, row] as const)
  it.each(cases)('%s', async (_, row) => {
    expect(await observe(backend!, row)).toEqual(ours && 'ours' in row ? row.ours : row.expects)
  })
})
