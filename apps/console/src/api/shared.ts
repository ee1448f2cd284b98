import { z } from 'zod'
import { dataName } from '@socklet/catalog'
import { KIND_NAMES, keyBytes, keyText, kindName, readable, type KeyInfo } from '@socklet/shared'
import { UserFault } from '../errors.ts'
import { needApp } from './apps.ts'
import { NO_CONTENT, ok, route, type Route } from './route.ts'
import { appParams, appid, listing, paging } from './schemas.ts'

const MAX_KEY_LENGTH = 16 * 1024

const KEY_DOC =
  'A string is itself, with one `$` more if it begins with `$`. Others are `$5`, `$1.5`, `$NaN`, `$12n`, `$true`, `$false`, `$null`, `$undefined`, `$socket:ID`, ' +
  'and `$bytes:BASE64URL` for objects and for strings that a path cannot hold, such as the empty one. In a path it is URL-encoded, with `%2F` for a `/`.'

const keyInfo = z.object({
  key: z.string().meta({ description: KEY_DOC }),
  kind: z.enum(KIND_NAMES as [string, ...string[]]),
  bytes: z.int().meta({ description: 'of the entry and all that is reached from it, as the limit `sharedBytes` counts them' }),
  entries: z.int().optional().meta({ description: 'of a Map or Set' })
})
const keyValue = keyInfo.extend({ value: z.unknown().meta({ description: 'as JSON; what JSON does not have is an object with a `$` key, as the documentation of the route says' }) })

const VALUE_DOC =
  'What JSON does not have is shown as `{ "$map": [[key, value], …] }`, `{ "$set": […] }`, `{ "$date": … }`, `{ "$regexp": source, "flags" }`, `{ "$bigint": … }`, ' +
  '`{ "$number": "NaN" }`, `{ "$undefined": true }`, `{ "$boxed": … }`, `{ "$holes": n }` within an array, `{ "$array": […], "properties": {…} }`, ' +
  '`{ "$buffer": base64, "length" }`, `{ "$view": "Uint8Array", "offset", "length", "buffer" }`, `{ "$error": name, "message", "stack", "cause" }`, `{ "$socket": id }`, ' +
  '`{ "$same": JSON Pointer }` where an object stands a second time, `{ "$malformed": why }`. Keys of the value that begin with `$` have one `$` more. ' +
  'What is long or deep is cut off, with `$truncated`, or as `{ "$string": beginning, "length" }`. What a handler has changed is here once it is stored, at the latest before a client has its answer.'

const keyParams = z.strictObject({ appid, key: z.string().min(1).max(MAX_KEY_LENGTH).meta({ description: KEY_DOC }) })

function show({ key, tag, bytes, entries }: KeyInfo) {
  return { key: keyText(key), kind: kindName(tag), bytes, ...(entries === undefined ? {} : { entries }) }
}

function gone(app: string, key: string): UserFault {
  return new UserFault('key_not_found', `cloud.shared of ${app} has no key ${JSON.stringify(key)}`)
}

const path = '/v1/apps/:appid/shared'

export const sharedRoutes: Route[] = [
  route({
    method: 'get',
    path,
    access: 'read',
    summary: 'What `cloud.shared` holds',
    doc: 'In the order of the Map. A page can be shorter than `limit` without being the last.',
    params: appParams,
    query: paging,
    responses: { 200: listing(keyInfo) },
    errors: ['invalid_cursor', 'unavailable'],
    handle: async ({ params, query }, { catalog, shared }) => {
      const app = await needApp(catalog, params.appid)
      const { items, ...next } = await shared.keys(dataName(app), query)
      return ok({ items: items.map(show), ...next })
    }
  }),
  route({
    method: 'get',
    path: `${path}/:key`,
    access: 'read',
    summary: 'One value of `cloud.shared`',
    doc: VALUE_DOC,
    params: keyParams,
    responses: { 200: keyValue },
    errors: ['key_not_found', 'unavailable'],
    handle: async ({ params }, { catalog, shared }) => {
      const app = await needApp(catalog, params.appid)
      const key = keyBytes(params.key)
      const found = key === null ? null : await shared.value(dataName(app), key)
      if (found === null) throw gone(params.appid, params.key)
      return ok({ ...show(found), value: readable(found.value, { nodes: found.nodes }) })
    }
  }),
  route({
    method: 'delete',
    path: `${path}/:key`,
    access: 'admin',
    summary: 'Remove a key of `cloud.shared`',
    params: keyParams,
    responses: { 204: null },
    errors: ['key_not_found', 'unavailable'],
    handle: async ({ params }, { catalog, pool }) => {
      await needApp(catalog, params.appid)
      const key = keyBytes(params.key)
      const call = { appid: params.appid, key: key === null ? '' : Buffer.from(key).toString('base64') }
      if (key === null || !(await pool.call('sharedDelete', call))) throw gone(params.appid, params.key)
      return NO_CONTENT
    }
  })
]
