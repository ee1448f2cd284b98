import { describe, expect, it } from 'vitest'
import { takePage } from '../src/index.ts'

describe('a page', () => {
  const characters = 10

  it('holds as many items as it may, and says whether there are others', () => {
    expect(takePage(['a', 'b', 'c'], { items: 2, characters })).toEqual({ items: ['a', 'b'], more: true })
    expect(takePage(['a', 'b'], { items: 2, characters })).toEqual({ items: ['a', 'b'], more: false })
    expect(takePage([], { items: 2, characters })).toEqual({ items: [], more: false })
    expect(takePage(['a'], { items: 0, characters })).toEqual({ items: [], more: true })
  })

  it('ends before its texts are too many, but has one item at least', () => {
    const items = [{ rooms: ['12345', '678'], n: 1 }, { rooms: ['ab'] }, { rooms: ['c'] }]
    expect(takePage(items, { items: 9, characters })).toEqual({ items: items.slice(0, 2), more: true })
    expect(takePage(['x'.repeat(11), 'y'], { items: 9, characters })).toEqual({ items: ['x'.repeat(11)], more: true })
  })

  it('reads no more than one item beyond', () => {
    let read = 0
    let closed = false
    function* endless(): Generator<number> {
      try {
        for (;;) yield read++
      } finally {
        closed = true
      }
    }
    takePage(endless(), { items: 3, characters })
    expect({ read, closed }).toEqual({ read: 4, closed: true })
  })
})
