import type { Catalog, Token } from '../catalog.ts'
import { appNotFound, tokenNotFound } from '../errors.ts'
import { requireApp } from './apps.ts'
import { NO_ID, type Store, type TokenDoc } from './store.ts'

function toToken({ id, appid, name, scopes, createdAt, expiresAt }: TokenDoc): Token {
  return { id, appid, name, scopes, createdAt, expiresAt }
}

export function mongoTokens(store: Store): Pick<Catalog, 'createToken' | 'listTokens' | 'deleteToken' | 'findToken'> {
  return {
    createToken: ({ id, appid, name, scopes, expiresAt, hash }) =>
      store.transaction(async (session) => {
        const { matchedCount } = await store.apps.updateOne({ appid: { $eq: appid } }, { $inc: { tokensMade: 1 } }, { session })
        if (matchedCount === 0) throw appNotFound(appid)
        const doc: TokenDoc = { id, appid, name, scopes: [...scopes], createdAt: Date.now(), expiresAt, hash }
        await store.tokens.insertOne({ ...doc }, { session })
        return toToken(doc)
      }),

    listTokens: (appid) =>
      store.transaction(async (session) => {
        await requireApp(store, session, appid)
        const docs = await store.tokens.find({ appid: { $eq: appid } }, { session, ...NO_ID }).sort({ createdAt: 1, id: 1 }).toArray()
        return docs.map(toToken)
      }),

    deleteToken: (appid, id) =>
      store.transaction(async (session) => {
        await requireApp(store, session, appid)
        const { deletedCount } = await store.tokens.deleteOne({ appid: { $eq: appid }, id: { $eq: id } }, { session })
        if (deletedCount === 0) throw tokenNotFound(id)
      }),

    async findToken(hash) {
      const doc = await store.tokens.findOne({ hash: { $eq: hash } })
      return doc === null ? null : toToken(doc)
    }
  }
}
