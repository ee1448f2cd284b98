import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LOG_PAGE_CHARACTERS, Link, controlLink, type CallMap, type ConsoleCallsOfPool, type LogEntry } from '@socklet/protocol'
import { tellConsoles, type Console } from '../../src/pool/peers.ts'

// All lines of 50 ms were one note: of lines of 1 MiB that was more than a frame holds, and it ended the link to the console.
it('lines that no frame holds together are told in parts, in their order, to those who follow the app', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'socklet-peers-'))
  const heard: string[] = []
  const handlers = {
    logged: ({ appid, entries }: ConsoleCallsOfPool['logged']['params']) => {
      heard.push(`${appid} ${entries.map(({ id }) => id).join()}`)
      return null
    }
  }
  const server = createServer((socket) => void controlLink<CallMap, ConsoleCallsOfPool>((on) => new Link(socket, on), handlers))
  await new Promise<void>((resolve) => server.listen(join(folder, 'console.sock'), resolve))
  const { link, control } = controlLink<ConsoleCallsOfPool, CallMap>((on) => new Link(connect(join(folder, 'console.sock')), on), {})
  const consoles = new Set<Console>([{ control, pid: 0, tails: new Set(['abc']) }])
  const entry = (id: number, message: string): LogEntry => ({ id, time: 0, level: 'info', function: 'f', requestId: '', connection: '', version: 1, message })
  // In JSON a quarter of a page has 6 MiB.
  const long = '\u0001'.repeat(LOG_PAGE_CHARACTERS / 4)
  tellConsoles(consoles, 'other', [entry(100, 'nobody follows it')])
  tellConsoles(consoles, 'abc', Array.from({ length: 12 }, (_, n) => entry(n, long)))
  tellConsoles(consoles, 'abc', [entry(12, 'short'), entry(13, 'short')])
  // Answered after all notes before it were heard.
  await control.call('logged', { appid: 'end', entries: [] })
  expect(heard).toEqual(['abc 0,1,2', 'abc 3,4,5', 'abc 6,7,8', 'abc 9,10,11', 'abc 12,13', 'end '])
  link.destroy()
  server.close()
  rmSync(folder, { recursive: true })
})
