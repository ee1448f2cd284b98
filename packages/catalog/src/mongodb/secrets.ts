import type { ClientSession } from 'mongodb'
import { newSecret } from '../secret.ts'
import type { Store } from './store.ts'

/** The app's secret; one from before there were secrets gets its own now. */
export async function secretOf(store: Store, session: ClientSession, appid: string): Promise<string> {
  const ofApp = { appid: { $eq: appid } }
  const doc = await store.apps.findOne(ofApp, { session, projection: { _id: 0, secret: 1 } })
  if (doc?.secret !== undefined) return doc.secret
  const secret = newSecret()
  // Of two that do so at once one collides, and the driver runs it again.
  await store.apps.updateOne(ofApp, { $set: { secret } }, { session })
  return secret
}
