/**
 * Writes to two apps until it is killed, and says after each round that it was done. Round i of an app sets `last` to i and makes one of its nodes
 * anew, with ENTRIES entries that all say i.
 */
import { openSharedStore, NodeKind } from '../src/index.ts'
import { RecordWriter } from './record-writer.ts'
import { longText, node, text } from './bytes.ts'

export const APPS = ['crash-a', 'crash-b']
export const NODES = 20
export const ENTRIES = 30

/** The records of a round. */
export function round(number: number): Uint8Array {
  const which = (number % NODES) + 1
  const writer = new RecordWriter().set(0, 0, text('last'), text(String(number))).node(which, NodeKind.MAP).set(0, which, text(`node-${which}`), node(which))
  for (let entry = 0; entry < ENTRIES; entry++) writer.set(which, entry, text(String(number)), entry === 0 ? longText(5_000) : text(String(number)))
  return writer.finish()
}

if (import.meta.main) {
  const [path = '', first = '0'] = process.argv.slice(2)
  const store = openSharedStore(path)
  const leases = await Promise.all(APPS.map(async (appid) => (await store.open(appid)).lease))
  for (let number = Number(first); ; number++) {
    const records = round(number)
    await Promise.all(APPS.map((appid, index) => store.write(appid, leases[index]!, records, { bytes: 100_000_000 })))
    process.stdout.write(`${number}\n`)
  }
}
