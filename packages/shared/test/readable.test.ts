import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NodeKind, keyBytes, keyText, readable, type StoredNode } from '../src/index.ts'
import { references, soleReference } from '../src/references.ts'
import { Tag, VERSION } from '../src/value-tags.ts'
import { longText, node, small, socket, text } from './bytes.ts'

const value = (...bytes: number[]): Uint8Array => Uint8Array.from([VERSION, ...bytes])
const ofString = (string: string): number[] => [...text(string)].slice(1)

/** Bytes in which every tag is likely, so that they go on for a while. */
const tags = fc.oneof(fc.constantFrom(...Object.values(Tag)), fc.integer({ min: Tag.SHORT_STRING, max: Tag.SHORT_STRING + 3 }), fc.nat(255))
const hostile = fc.array(tags, { maxLength: 200 }).map((bytes) => value(...bytes))
const hostileNodes = fc.array(fc.oneof(
  hostile.map((bytes): StoredNode => ({ kind: NodeKind.VALUE, value: bytes })),
  fc.tuple(fc.constantFrom(NodeKind.MAP, NodeKind.SET), fc.array(fc.tuple(hostile, hostile), { maxLength: 3 }))
    .map(([kind, entries]): StoredNode => ({ kind, entries, size: entries.length }))
), { maxLength: 5 }).map((nodes) => new Map(nodes.map((each, i) => [i, each])))

describe('readable values', () => {
  it('are JSON, whatever the bytes, and bounded', () => {
    fc.assert(
      fc.property(hostile, hostileNodes, fc.integer({ min: 1, max: 2_000 }), (bytes, nodes, maxChars) => {
        const json = JSON.stringify(readable(bytes, { nodes, maxChars, maxDepth: 20 }))
        expect(JSON.parse(json)).toBeDefined()
        // What is open is closed, with marks; each text may be over what is left only by its last part.
        expect(json.length).toBeLessThan(20 * maxChars + 20_000)
      }),
      { numRuns: 3_000 }
    )
  })

  it.each([
    ['objects in objects', Array.from({ length: 200_000 }, () => [Tag.OBJECT, ...ofString('a')]).flat()],
    ['boxes in boxes', Array.from({ length: 500_000 }, () => Tag.BOXED)],
    ['causes of causes', Array.from({ length: 200_000 }, () => [Tag.ERROR, 0, 4]).flat()],
    ['views of views', Array.from({ length: 200_000 }, () => [Tag.VIEW, 1, 0, 0]).flat()],
    ['an array of 4 G items', [Tag.ARRAY, 0xff, 0xff, 0xff, 0xff, 0x0f, ...Array.from({ length: 300_000 }, () => Tag.NULL)]],
    ['holes without end', Array.from({ length: 300_000 }, () => [Tag.ARRAY, 0xff, 0xff, 0xff, 0xff, 0x0f, Tag.HOLES, 0xff, 0xff, 0xff, 0x7f]).flat()],
    ['one long key again and again', [Tag.OBJECT, ...[...longText(60_000)].slice(1), Tag.NULL, ...Array.from({ length: 300_000 }, () => [Tag.SMALL, Tag.NULL]).flat()]],
    ['a BigInt of a megabyte', [Tag.BIGINT_PLUS, 0x80, 0x80, 0x40, ...Array.from({ length: 1_048_576 }, () => 255)]]
  ])('take no time over %s', (_, bytes) => {
    const start = performance.now()
    const long = new Uint8Array(bytes.length + 1)
    long[0] = VERSION
    long.set(bytes, 1)
    expect(JSON.stringify(readable(long)).length).toBeLessThan(2_000_000)
    expect(references(long)).toEqual([])
    expect(performance.now() - start).toBeLessThan(2_000)
  })

  it('take no time over a chain of nodes', () => {
    const nodes = new Map(Array.from({ length: 100 }, (_, i): [number, StoredNode] => [i, { kind: NodeKind.VALUE, value: node(i + 1) }]))
    expect(readable(node(0), { nodes })).toEqual({ $truncated: true })
  })

  it('show nodes in their place, once', () => {
    const nodes = new Map<number, StoredNode>([
      [1, { kind: NodeKind.MAP, size: 3, entries: [[text('a'), socket('s-1')], [text('b'), node(2)], [text('c'), node(1)]] }],
      [2, { kind: NodeKind.SET, size: 5, entries: [[small(1), new Uint8Array()], [node(3), new Uint8Array()]] }],
      [3, { kind: NodeKind.VALUE, value: value(Tag.OBJECT, ...ofString('self'), Tag.SAME, 0, ...ofString('set'), Tag.REF, Tag.SMALL + 2, Tag.END) }]
    ])
    expect(readable(node(1), { nodes })).toEqual({
      $map: [
        ['a', { $socket: 's-1' }],
        ['b', { $set: [1, { self: { $same: '/$map/1/1/$set/1' }, set: { $same: '/$map/1/1' } }], $truncated: 3 }],
        ['c', { $same: '' }]
      ]
    })
    expect(readable(node(9), { nodes })).toEqual({ $truncated: true })
  })

  it('say what is no value, and where, without harm to what is beside it', () => {
    const nodes = new Map<number, StoredNode>([[1, { kind: NodeKind.MAP, size: 2, entries: [[text('bad'), value(Tag.OBJECT, 3, 3)], [text('good'), small(1)]] }]])
    expect(readable(node(1), { nodes })).toEqual({ $map: [['bad', { $malformed: 'no string' }], ['good', 1]] })
    expect(readable(new Uint8Array())).toEqual({ $malformed: 'unexpected end' })
    expect(readable(Uint8Array.from([9, 1]))).toEqual({ $malformed: 'another version' })
    expect(readable(value(Tag.NULL, Tag.NULL))).toEqual({ $malformed: 'more bytes' })
  })

  it('are cut off where they are too long or too deep, with a mark', () => {
    expect(readable(longText(100_000))).toEqual({ $string: 'x'.repeat(16 * 1024), length: 100_000 })
    expect(readable(value(Tag.ARRAY, 3, Tag.NULL, Tag.NULL, Tag.NULL, Tag.END), { maxChars: 20 })).toEqual([null, null, { $truncated: true }])
    expect(readable(value(Tag.ARRAY, 1, Tag.ARRAY, 1, Tag.ARRAY, 0, Tag.END, Tag.END, Tag.END), { maxDepth: 1 })).toEqual([{ $truncated: true }])
    expect(readable(value(Tag.OBJECT, ...ofString('a'), Tag.TRUE, ...ofString('b'), Tag.TRUE, Tag.END), { maxChars: 12 })).toEqual({ a: true, $truncated: true })
    expect(readable(value(Tag.BUFFER, 9, ...Array.from({ length: 9 }, () => 0)), { maxChars: 16 })).toEqual({ $buffer: 'AAAAAAAA', length: 9, $truncated: true })
  })
})

describe('keys as text', () => {
  it('are strings as they are, and others told apart from them', () => {
    expect([text('users'), text('$5'), small(5), text('5'), value(Tag.NULL), socket('s-1'), text('$socket:s-1')].map(keyText))
      .toEqual(['users', '$$5', '$5', '5', '$null', '$socket:s-1', '$$socket:s-1'])
    expect(keyText(text(''))).toBe('$bytes:AUA')
    expect(keyText(text('..'))).toMatch(/^\$bytes:/)
    expect(keyText(value(Tag.OBJECT, Tag.END))).toMatch(/^\$bytes:/)
  })

  it('mean one key each, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.oneof(hostile, fc.uint8Array({ maxLength: 40 })), (bytes) => {
        expect(Buffer.from(keyBytes(keyText(bytes))!).equals(bytes)).toBe(true)
      }),
      { numRuns: 3_000 }
    )
  })

  it('are bytes or nothing, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string().map((string) => `$${string}`)), (string) => {
        const bytes = keyBytes(string)
        if (bytes === null) expect(string).toMatch(/^\$/)
        // Such as have another way to be written are shown in that one.
        else expect(Buffer.from(keyBytes(keyText(bytes))!).equals(bytes)).toBe(true)
      }),
      { numRuns: 3_000 }
    )
    for (const none of ['$', '$x', '$05', '$-0', '$1.50', '$__proto__', '$toString', '$99999999999999999999n', '$bytes:A', '$bytes:!', '$ 5', '$0x10']) expect([none, keyBytes(none)]).toEqual([none, null])
  })
})

describe('references', () => {
  it('are found or not, whatever the bytes', () => {
    fc.assert(
      fc.property(hostile, (bytes) => {
        expect(references(bytes).every((each) => typeof each === 'number')).toBe(true)
        const sole = soleReference(bytes)
        if (sole !== null) expect(references(bytes)).toEqual([sole])
      }),
      { numRuns: 3_000 }
    )
  })
})
