import { readFile } from 'node:fs/promises'
import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { rows } from './rows/index.ts'

const PAGE = new URL('../../docs/websocket-api.md', import.meta.url)

/** Names in the first column of the tables, by line. */
const lines = [...(await readFile(PAGE, 'utf8')).matchAll(/^\| (?!member)(\S.*?) \|/gm)].map(([, cell]) => cell!.replaceAll('`', '').split(', '))

function isPublic(name: string): boolean {
  return !name.startsWith('_') && name !== 'constructor'
}

describe('docs/websocket-api.md', () => {
  it('has every member of the class, its prototype and EventEmitter, as the installed ws has them', () => {
    const members = [Object.keys(WebSocket), Object.getOwnPropertyNames(WebSocket.prototype), Object.getOwnPropertyNames(EventEmitter.prototype)].flat().filter(isPublic)
    // The class itself, which is the heading.
    const there = new Set(['WebSocket', ...lines.flat()])
    expect(members.length).toBeGreaterThan(40)
    expect(members.filter((member) => !there.has(member))).toEqual([])
  })

  it('has a test for each line, and a line for each test', () => {
    const tested = new Set(rows.map(({ member }) => member))
    const isTested = (line: string[]): boolean => tested.has(line.join(', ')) || line.some((name) => tested.has(name))
    expect(lines.filter((line) => !isTested(line))).toEqual([])
    const names = new Set([...lines.flat(), ...lines.map((line) => line.join(', '))])
    expect([...tested].filter((member) => !names.has(member))).toEqual([])
  })
})
