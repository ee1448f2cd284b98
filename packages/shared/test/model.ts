import { ENTRY_BYTES, NodeKind, Op, RecordReader } from '../src/index.ts'

export interface ModelNode {
  kind: NodeKind
  /** Hexadecimal, as keys and values are. */
  value: string
  entries: Map<number, { key: string; value: string }>
}

/** What records say, in plain objects: the store has to agree with it. */
export type Model = Map<number, ModelNode>

export const newModel = (): Model => new Map([[0, { kind: NodeKind.MAP, value: '', entries: new Map() }]])

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** @throws Error if an entry is set in what is no Map and no Set */
export function replay(model: Model, records: Uint8Array): Model {
  for (const record = new RecordReader(records); record.next();) one(model, record)
  return model
}

function one(model: Model, record: RecordReader): void {
  const node = model.get(record.node)
  switch (record.op) {
    case Op.NODE:
      model.set(record.node, { kind: record.kind, value: hex(record.value), entries: new Map() })
      return
    case Op.SET:
      if (node === undefined || node.kind === NodeKind.VALUE) throw new Error(`an entry of node ${record.node}, which is no Map and no Set`)
      node.entries.set(record.entry, { key: hex(record.key), value: hex(record.value) })
      return
    case Op.DELETE:
      node?.entries.delete(record.entry)
      return
    case Op.CLEAR:
      node?.entries.clear()
      return
    case Op.DROP:
      model.delete(record.node)
  }
}

export function sizeOf(model: Model): number {
  let bytes = 0
  for (const [number, node] of model) {
    if (number !== 0) bytes += ENTRY_BYTES + node.value.length / 2
    for (const { key, value } of node.entries.values()) bytes += ENTRY_BYTES + (key.length + value.length) / 2
  }
  return bytes
}

/** In a form that can be compared, entries in the order of their numbers. */
export function show(model: Model): unknown {
  return [...model].toSorted(([a], [b]) => a - b).map(([number, { kind, value, entries }]) => ({
    number,
    kind,
    value: kind === NodeKind.VALUE ? value : '',
    entries: [...entries].toSorted(([a], [b]) => a - b)
  }))
}
