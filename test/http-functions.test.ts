import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connect } from './support/client.ts'
import { startPlatform, type Platform } from './support/platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await startPlatform()
  const page = await readFile(new URL('../docs/http-functions.md', import.meta.url), 'utf8')
  // Each example begins with the name of its function.
  const examples = [...page.matchAll(/^```ts\n\/\/ (\S+)\n([\s\S]*?)^```$/gm)].map(([, name, code]) => [name!, code!])
  expect(examples.length).toBe(page.split('```ts').length - 1)
  await platform.app('docs', Object.fromEntries(examples))
  await platform.admin('PUT', '/apps/docs/env', { PASSWORD: 'sesame' })
})
afterAll(() => platform.close())

const post = (body: unknown): RequestInit => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } })

describe('the examples of docs/http-functions.md', () => {
  it('count streams, and sets a cookie', async () => {
    const answer = await platform.request('docs', '/count')
    expect(answer.text).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n')
    expect(answer.headers.getSetCookie()).toEqual(['seen=yes; Path=/; HttpOnly'])
  })

  it('upload gets a file and a field', async () => {
    const form = new FormData()
    form.set('title', 'Ünder')
    form.set('file', new File(['one\ntwo'], 'ä.txt', { type: 'text/markdown' }))
    expect((await platform.request('docs', '/upload', { method: 'POST', body: form })).json).toEqual({ title: 'Ünder', name: 'ä.txt', type: 'text/markdown', lines: 2 })
    form.delete('file')
    expect((await platform.request('docs', '/upload', { method: 'POST', body: form })).status).toBe(400)
  })

  it('sign-in gives a token, which __websocket__ asks for before it accepts', async () => {
    expect((await platform.request('docs', '/sign-in', post({ name: 'ann', password: 'guess' }))).status).toBe(401)
    const { token } = (await platform.request('docs', '/sign-in', post({ name: 'ann', password: 'sesame' }))).json
    const byQuery = await connect(`${platform.url('docs')}?token=${token}`)
    expect(await byQuery.next()).toBe('hello ann')
    const byProtocol = await connect(platform.url('docs'), { protocols: ['chat', token] })
    expect([await byProtocol.next(), byProtocol.ws.protocol]).toEqual(['hello ann', 'chat'])
    await expect(connect(`${platform.url('docs')}?token=${token}x`)).rejects.toThrow('401')
    await expect(connect(platform.url('docs'))).rejects.toThrow('401')
    await Promise.all([byQuery.close(), byProtocol.close()])
  })

  it('__interceptor__ lets in whoever has signed in', async () => {
    const who = { code: `export default (ctx) => ctx.user.uid` }
    expect((await platform.admin('PUT', '/apps/docs/functions/who', who)).status).toBe(201)
    expect(await platform.request('docs', '/who')).toMatchObject({ status: 401, json: { error: 'sign in first' } })
    const { token } = (await platform.request('docs', '/sign-in', post({ name: 'bob', password: 'sesame' }))).json
    expect(await platform.request('docs', '/who', bearer(token))).toMatchObject({ status: 200, text: 'bob' })
  })
})
