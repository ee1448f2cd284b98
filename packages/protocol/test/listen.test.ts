import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { listen } from '../src/index.ts'

it('who cannot accept somebody says so, once a second at most, and goes on', async () => {
  const server = createServer((socket) => void socket.end('hello'))
  onTestFinished(() => void server.close())
  const said: string[] = []
  await listen(server, { host: '127.0.0.1', port: 0 }, (error) => said.push(error.message))
  // As net.Server does when the system has no descriptor for a connection. libuv ends most of them without a word.
  for (const text of ['EMFILE 1', 'EMFILE 2']) server.emit('error', new Error(text))
  expect(said).toEqual(['EMFILE 1'])
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  expect(String(await once(client, 'data'))).toBe('hello')
  const later = performance.now() + 1_001
  vi.spyOn(performance, 'now').mockReturnValue(later)
  onTestFinished(() => void vi.restoreAllMocks())
  server.emit('error', new Error('EMFILE 3'))
  expect(said).toEqual(['EMFILE 1', 'EMFILE 3'])
})

it('that a server cannot listen is said at once', async () => {
  await expect(listen(createServer(), { path: '/nowhere/at/all' }, () => {})).rejects.toThrow('/nowhere/at/all')
})
