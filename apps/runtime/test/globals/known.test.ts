import { beforeAll, describe, expect, it } from 'vitest'
import { known } from './known.ts'
import { createIsolate, inIsolate, type TestIsolate } from './isolate.ts'

describe('known differences from Node', () => {
  let isolate: TestIsolate
  beforeAll(async () => {
    isolate = await createIsolate()
  })

  it.each([...known])('%s', async (expression, given) => {
    expect(await inIsolate(isolate, expression)).toBe(given)
  })
})
