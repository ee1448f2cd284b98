import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CallError, Link, controlLink, type CallHandlers, type Control } from '../src/index.ts'

type Calls = {
  add: { params: { a: number; b: number }; result: number }
  refuse: { params: null; result: null }
  never: { params: null; result: null }
  heard: { params: string; result: null }
}

let folder: string
let server: Server
let near: Socket
let far: Socket

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'socklet-link-'))
  const path = join(folder, 'link.sock')
  const accepted = new Promise<Socket>((resolve) => {
    server = createServer(resolve)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  near = connect(path)
  far = await accepted
})
afterEach(() => {
  near.destroy()
  far.destroy()
  server.close()
  rmSync(folder, { recursive: true })
})

function ends(handlers: Partial<CallHandlers<Calls>>): { control: Control<Calls, Calls>; link: Link } {
  controlLink<Calls, Calls>((on) => new Link(far, on), handlers)
  return controlLink<Calls, Calls>((on) => new Link(near, on), {})
}

describe('calls', () => {
  it('are answered, each with its own answer', async () => {
    const { control } = ends({ add: async ({ a, b }) => a + b })
    const sums = await Promise.all(Array.from({ length: 100 }, (_, index) => control.call('add', { a: index, b: 1 })))
    expect(sums).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
  })

  it('that are refused bring code, message and details', async () => {
    const { control } = ends({
      refuse: () => {
        throw new CallError('not_now', 'come back later', { inSeconds: 3 })
      }
    })
    await expect(control.call('refuse', null)).rejects.toMatchObject({ code: 'not_now', message: 'come back later', details: { inSeconds: 3 } })
  })

  it('to a method that is not there are refused, also to those that every object has', async () => {
    const { control } = ends({})
    await expect(control.call('add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'unknown_method' })
    await expect(control.call('constructor' as 'add', { a: 1, b: 1 })).rejects.toMatchObject({ code: 'unknown_method' })
  })

  it('that are not answered in time, or whose link closes, are rejected', async () => {
    const { control } = ends({ never: () => new Promise<null>(() => {}) })
    await expect(control.call('never', null, 20)).rejects.toMatchObject({ code: 'timeout' })
    const waiting = control.call('never', null)
    far.destroy()
    await expect(waiting).rejects.toMatchObject({ code: 'link_closed' })
    await expect(control.call('never', null)).rejects.toMatchObject({ code: 'link_closed' })
  })

  it('that nobody waits for arrive in order', async () => {
    const heard: string[] = []
    const { control } = ends({
      heard: (word) => {
        heard.push(word)
        return null
      }
    })
    for (const word of ['a', 'b', 'c']) control.note('heard', word)
    await control.call('heard', 'd')
    expect(heard).toEqual(['a', 'b', 'c', 'd'])
  })
})

describe('a link', () => {
  it('ends when what arrives is no frame', async () => {
    const failed = new Promise<Error | undefined>((resolve) => {
      void new Link(far, { onFrame: () => {}, onClose: resolve })
    })
    near.write(Buffer.alloc(100))
    expect((await failed)?.name).toBe('FrameError')
  })

  it('sends what was given within one turn of the event loop in one write', async () => {
    const { link } = ends({})
    const reads: number[] = []
    const all = new Promise<void>((resolve) => {
      far.on('data', (chunk) => {
        reads.push(chunk.length)
        if (reads.reduce((sum, count) => sum + count, 0) === 500 * 36) resolve()
      })
    })
    const head = { type: 200, flags: 0, gateway: 0, app: 0, generation: 0, connection: 0, sequence: 0 }
    for (let i = 0; i < 500; i++) link.send(head, new Uint8Array(10))
    await all
    expect(reads).toEqual([500 * 36])
  })
})
