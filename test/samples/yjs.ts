import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { Platform } from '../support/platform.ts'
import { until } from '../support/until.ts'
import { bundle, publishBundled } from './publish.ts'

interface Editor {
  doc: Y.Doc
  text: Y.Text
  provider: WebsocketProvider
  /** What it knows of others: name by client. */
  names(): string[]
}

export function yjsSample(platform: () => Platform): void {
  const edit = async (document: string, name: string): Promise<Editor> => {
    const doc = new Y.Doc()
    // Without the channel that clients in one process have beside the server, everything goes through the platform.
    const provider = new WebsocketProvider(platform().url('yjs'), document, doc, { disableBc: true, WebSocketPolyfill: WebSocket as never })
    onTestFinished(() => {
      provider.destroy()
      doc.destroy()
    })
    provider.awareness.setLocalStateField('user', { name })
    await until(`${name} is in sync`, () => provider.synced)
    const names = (): string[] => [...provider.awareness.getStates().values()].map((state) => state['user']?.name).toSorted()
    return { doc, text: doc.getText('text'), provider, names }
  }
  const same = (editors: Editor[], text: string): Promise<unknown> => until(`all have ${text}`, () => editors.every((editor) => editor.text.toString() === text))

  it('keeps documents the same for all who edit them, at the same time and after a break', async () => {
    await publishBundled(platform(), 'yjs')
    const ann = await edit('letter', 'Ann')
    const bob = await edit('letter', 'Bob')
    const other = await edit('other', 'Cat')
    ann.text.insert(0, 'Dear Bob')
    await same([ann, bob], 'Dear Bob')
    ann.text.insert(4, 'est')
    bob.text.insert(bob.text.length, ', hello')
    bob.doc.getMap('meta').set('when', { year: 2026 })
    await same([ann, bob], 'Dearest Bob, hello')
    await until('the map has come', () => ann.doc.getMap('meta').get('when'))

    // What is written while offline is merged when the client is back.
    bob.provider.disconnect()
    bob.text.insert(bob.text.length, '!')
    ann.text.delete(0, 3)
    await until('the edit of Ann has left', () => ann.provider.ws?.bufferedAmount === 0)
    bob.provider.connect()
    await same([ann, bob], 'rest Bob, hello!')
    expect(other.text.toString()).toBe('')
  })

  it('tells who is there, and who has gone', async () => {
    const ann = await edit('people', 'Ann')
    const bob = await edit('people', 'Bob')
    await until('both know both', () => [ann, bob].every((editor) => String(editor.names()) === 'Ann,Bob'))
    ann.provider.awareness.setLocalStateField('cursor', { index: 7 })
    await until('the cursor of Ann has come', () => bob.provider.awareness.getStates().get(ann.doc.clientID)?.['cursor']?.index === 7)
    bob.provider.shouldConnect = false
    const socket = bob.provider.ws as unknown as WebSocket
    socket.terminate()
    await until('Ann knows that Bob has gone', () => String(ann.names()) === 'Ann')
  })

  it('has the documents when everybody was away, and after a publish under connected clients', async () => {
    const ann = await edit('kept', 'Ann')
    ann.text.insert(0, 'x'.repeat(1000))
    for (let i = 0; i < 300; i++) ann.text.insert(0, String(i % 10))
    const text = ann.text.toString()
    const bob = await edit('kept', 'Bob')
    await same([bob], text)
    for (const { provider } of [ann, bob]) provider.destroy()
    await until('nobody is connected', async () => (await platform().admin('GET', '/apps/yjs/stats')).json.connections === 0)

    const cat = await edit('kept', 'Cat')
    await same([cat], text)
    const code = `${await bundle('yjs')}\n// second edition`
    expect((await platform().admin('PUT', '/apps/yjs/functions/__websocket__', code)).status).toBe(200)
    const dan = await edit('kept', 'Dan')
    cat.text.insert(0, 'new: ')
    await same([cat, dan], `new: ${text}`)
    dan.text.delete(0, 5)
    await same([cat, dan], text)
  })
}
