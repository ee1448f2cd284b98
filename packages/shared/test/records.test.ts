import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { NodeKind, Op, RecordError, RecordReader } from '../src/index.ts'
import { RecordWriter } from './record-writer.ts'

interface Plain {
  op: Op
  node: number
  kind?: NodeKind
  entry?: number
  key?: Uint8Array
  value?: Uint8Array
}

function read(bytes: Uint8Array): Plain[] {
  const records: Plain[] = []
  for (const record = new RecordReader(bytes); record.next();) records.push(toPlain(record))
  return records
}

function toPlain({ op, node, kind, entry, key, value }: RecordReader): Plain {
  switch (op) {
    case Op.NODE: return kind === NodeKind.VALUE ? { op, node, kind, value } : { op, node, kind }
    case Op.SET: return { op, node, entry, key, value }
    case Op.DELETE: return { op, node, entry }
    default: return { op, node }
  }
}

function write(records: Plain[]): Uint8Array {
  const writer = new RecordWriter()
  for (const { op, node, kind = NodeKind.MAP, entry = 0, key = new Uint8Array(), value = new Uint8Array() } of records) {
    if (op === Op.NODE && kind === NodeKind.VALUE) writer.value(node, value)
    else if (op === Op.NODE) writer.node(node, kind as typeof NodeKind.MAP)
    else if (op === Op.SET) writer.set(node, entry, key, value)
    else if (op === Op.DELETE) writer.delete(node, entry)
    else if (op === Op.CLEAR) writer.clear(node)
    else writer.drop(node)
  }
  return writer.finish()
}

const bytes = fc.uint8Array({ maxLength: 300 })
const anyNode = fc.oneof(fc.nat(3), fc.constantFrom(127, 128, 0xffff_ffff), fc.nat(0xffff_ffff))
const otherNode = anyNode.map((node) => node || 1)
const entry = fc.oneof(fc.nat(300), fc.maxSafeNat(), fc.constantFrom(2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER))
const plain: fc.Arbitrary<Plain> = fc.oneof(
  fc.record({ op: fc.constant(Op.NODE), node: otherNode, kind: fc.constantFrom(NodeKind.MAP, NodeKind.SET) }),
  fc.record({ op: fc.constant(Op.NODE), node: otherNode, kind: fc.constant(NodeKind.VALUE), value: bytes }),
  fc.record({ op: fc.constant(Op.SET), node: anyNode, entry, key: bytes, value: bytes }),
  fc.record({ op: fc.constant(Op.DELETE), node: anyNode, entry }),
  fc.record({ op: fc.constant(Op.CLEAR), node: anyNode }),
  fc.record({ op: fc.constant(Op.DROP), node: otherNode })
)

describe('records', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(plain), (records) => {
        expect(read(write(records))).toEqual(records)
      }),
      { numRuns: 500 }
    )
  })

  it('follow one another without a gap', () => {
    fc.assert(
      fc.property(fc.array(plain), (records) => {
        const written = write(records)
        const parts: Uint8Array[] = []
        for (const record = new RecordReader(written); record.next();) parts.push(record.record)
        expect(Buffer.concat(parts).equals(written)).toBe(true)
      })
    )
  })

  it('are read or refused, whatever the bytes', () => {
    const almost = fc.tuple(fc.array(plain), fc.array(fc.tuple(fc.nat(500), fc.nat(255)), { maxLength: 4 }), fc.nat(500)).map(([records, changes, end]) => {
      const written = write(records)
      for (const [at, byte] of changes) if (at < written.length) written[at] = byte
      return written.subarray(0, end)
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 500 }), almost), (hostile) => {
        try {
          expect(read(hostile).length).toBeLessThanOrEqual(hostile.length)
        } catch (error) {
          expect(error).toBeInstanceOf(RecordError)
        }
      }),
      { numRuns: 5_000 }
    )
  })

  it.each([
    ['an unknown op', [9, 1], 'there is no op 9'],
    ['op 0', [0, 1], 'there is no op 0'],
    ['a kind that is none', [Op.NODE, 1, 4], 'there is no kind 4'],
    ['node 0 made anew', [Op.NODE, 0, NodeKind.MAP], 'node 0 cannot be made anew'],
    ['node 0 dropped', [Op.DROP, 0], 'node 0 cannot be dropped'],
    ['a node above 32 bits', [Op.CLEAR, 0x80, 0x80, 0x80, 0x80, 0x10], 'a number above 4294967295'],
    ['a node without end', [Op.CLEAR, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], 'a number above 4294967295'],
    ['an entry above 53 bits', [Op.DELETE, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10], 'a number above 9007199254740991'],
    ['no node', [Op.CLEAR], 'unexpected end'],
    ['no kind', [Op.NODE, 1], 'unexpected end'],
    ['no value', [Op.SET, 1, 1, 0], 'unexpected end'],
    ['a key of 4 GiB', [Op.SET, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2], '4294967295 bytes are announced, and fewer are there'],
    ['a value that ends early', [Op.NODE, 1, NodeKind.VALUE, 3, 1, 2], '3 bytes are announced, and fewer are there']
  ])('with %s are refused, and told why', (_, hostile, message) => {
    expect(() => read(Uint8Array.from(hostile))).toThrow(message)
    expect(() => read(Uint8Array.from(hostile))).toThrow(RecordError)
  })
})
