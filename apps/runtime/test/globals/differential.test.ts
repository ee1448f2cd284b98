import { createRequire } from 'node:module'
import { format, inspect } from 'node:util'
import { runInThisContext } from 'node:vm'
import { beforeAll, describe, expect, it } from 'vitest'
import buffer from './cases/buffer.ts'
import clone from './cases/clone.ts'
import encoding from './cases/encoding.ts'
import events from './cases/events.ts'
import inspecting from './cases/inspect.ts'
import modules from './cases/modules.ts'
import url from './cases/url.ts'
import { known } from './known.ts'
import { createIsolate, inIsolate, probe, type TestIsolate } from './isolate.ts'

type Probe = (require: unknown, inspect: unknown, format: unknown) => Promise<string>

const inNode = (expression: string): Promise<string> =>
  (runInThisContext(probe(expression)) as Probe)(createRequire(import.meta.url), inspect, format)

describe('the same expression gives the same in an isolate and in Node', () => {
  let isolate: TestIsolate
  beforeAll(async () => {
    isolate = await createIsolate()
  })

  const areas = { buffer, url, encoding, clone, events, inspecting, modules }
  for (const [area, expressions] of Object.entries(areas)) {
    describe(area, () => {
      it.each([...new Set(expressions)].filter(expression => !known.has(expression)))('%s', async expression => {
        expect(await inIsolate(isolate, expression)).toBe(await inNode(expression))
      })
    })
  }
})
