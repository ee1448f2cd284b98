import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPlatform, type Platform } from './support/platform.ts'

/** What functions do with `request` and `response`: a real express and the platform answer the same. */
const CASES: Record<string, string> = {
  'redirect to what is no URL yet': `response.redirect('/搜索 "x"?a=%20&b=%zz%2&c=50%#<\\ud800>|^\\\\')`,
  'redirect with a status': `response.redirect(307, 'https://a.example/ü?q=[1]')`,
  'location': `response.location('/a b').status(201).end()`,
  'type by name': `response.type('json').send('{}')`,
  'type by ending': `response.type('.html').send('x')`,
  'type of a file': `response.type('archive.tar.zip').end()`,
  'type css': `response.type('css').send('x')`,
  'type text': `response.type('text').send('x')`,
  'type png': `response.type('png').end()`,
  'type js': `response.type('js').send('x')`,
  'type csv': `response.type('csv').send('x')`,
  'type svg': `response.type('svg').end()`,
  'type that nobody knows': `response.type('unheard').end()`,
  'sendStatus': `response.sendStatus(404)`,
  'sendStatus without a name': `response.sendStatus(299)`,
  'append': `response.append('x-a', '1'); response.append('X-A', ['2', '3']); response.append('set-cookie', 'a=1'); response.append('set-cookie', 'b=2'); response.end()`,
  'vary': `response.vary('Accept').vary(['accept', 'User-Agent']).vary('Cookie, ACCEPT').end()`,
  'attachment': `response.attachment().end()`,
  'attachment with a name': `response.attachment('dir/a "b".png').end()`,
  'attachment with a name that is not ASCII': `response.attachment("文件 (1)'.pdf").end()`,
  'set of several': `response.set({ 'x-a': 1, 'x-b': 'ü' }).end()`,
  'a status above those that there are': `response.status(799).end('x')`,
  'writeHead': `response.writeHead(202, 'Text', { 'x-a': '1' }); response.end('x')`,
  'headers that cannot be': `
    const codes = []
    for (const [name, value] of [['x-a', '中文'], ['x-a', 'a\\nb'], ['x a', '1'], ['', '1'], ['x-a', undefined], ['x-a', ['ok', '中']]]) {
      try { response.setHeader(name, value); codes.push('nothing') } catch (error) { codes.push(error.name + ' ' + error.code + ' ' + error.message) }
    }
    response.json(codes)`,
  'a status that cannot be': `
    const codes = []
    for (const status of [1000, 99, 0, -1]) try { response.writeHead(status); codes.push('nothing') } catch (error) { codes.push(error.name + ' ' + error.code + ' ' + error.message) }
    response.json(codes)`,
  'states': `
    const states = () => [response.headersSent, response.writableEnded, response.destroyed, response.closed, request.destroyed]
    const before = states()
    response.setHeader('x-a', JSON.stringify(before))
    response.flushHeaders()
    response.write(JSON.stringify(states()))
    response.end()`,
  'what is asked': `response.json([request.hostname, request.protocol, request.secure, request.params, request.originalUrl.slice(-4), request.get('Referrer'), request.get('X-A')])`,
  'cookies': `response.cookie('a', '中', { httpOnly: true }).clearCookie('b').end()`
}

let platform: Platform
let server: Server
beforeAll(async () => {
  platform = await startPlatform()
  const app = express()
  await platform.app('same', Object.fromEntries(Object.values(CASES).map((code, index) => [`f${index}`, `export default ({ request, response }) => { ${code} }`])))
  // oxlint-disable-next-line typescript/no-implied-eval -- as a runtime of functions does
  for (const [index, code] of Object.values(CASES).entries()) app.all(`/same/f${index}`, new Function('request', 'response', code) as express.RequestHandler)
  server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(async () => {
  server.close()
  await platform.close()
})

const HEADERS = ['location', 'content-type', 'content-disposition', 'vary', 'x-a', 'x-b']

async function answerOf(base: string, index: number): Promise<unknown> {
  const answer = await fetch(`${base}/same/f${index}?x=y`, { redirect: 'manual', headers: { referer: 'https://r.example/', 'x-a': 'asked' } })
  const text = await answer.text()
  const isRedirect = answer.status > 299 && answer.status < 400
  // Express has a page for redirects. The platform has its CORS.
  const headers = HEADERS.map((name) => (isRedirect && name !== 'location' ? null : (answer.headers.get(name)?.replace(/^origin(, |$)/, '') ?? '')))
  return { status: answer.status, headers, cookies: answer.headers.getSetCookie(), text: isRedirect ? '' : text }
}

describe('ctx.request and ctx.response do what those of express do', () => {
  it.each(Object.keys(CASES).map((name, index) => [name, index] as const))('%s', async (_, index) => {
    const [ours, theirs] = await Promise.all([answerOf(platform.gateway, index), answerOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, index)])
    expect(ours).toEqual(theirs)
  })
})
