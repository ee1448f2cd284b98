import { z } from 'zod'
import { UserFault } from '../errors.ts'
import { needApp } from './apps.ts'
import { NO_CONTENT, ok, route, type Route } from './route.ts'
import { appParams, connectionParams, cursor, limit, listing, text, time } from './schemas.ts'

const MAX_DATA_BYTES = 1024 * 1024
const MAX_REASON_BYTES = 123

const connectionSchema = z.object({
  id: z.string(),
  since: time,
  address: z.string(),
  url: z.string(),
  protocol: z.string(),
  messagesIn: z.int(),
  messagesOut: z.int(),
  bytesIn: z.int(),
  bytesOut: z.int(),
  buffered: z.int().meta({ description: 'bytes that wait for the client to read them' }),
  rooms: z.array(z.string())
})

/** What a peer may send in a closing handshake (RFC 6455, 7.4). */
const closeCode = z
  .string()
  .refine((value) => value === '1000' || /^[34]\d{3}$/.test(value), 'must be 1000, or 3000 to 4999')
  .transform(Number)
  .optional()
  .meta({ type: 'integer', description: '1000 if absent, or 3000 to 4999' })
const closeReason = text(MAX_REASON_BYTES).refine((value) => Buffer.byteLength(value) <= MAX_REASON_BYTES, `is larger than ${MAX_REASON_BYTES} bytes`).optional()

function gone(appid: string, id: string): UserFault {
  return new UserFault('connection_not_found', `${appid} has no open connection ${id}`)
}

const path = '/v1/apps/:appid/connections'

export const connectionRoutes: Route[] = [
  route({
    method: 'get',
    path,
    access: 'read',
    summary: 'Who is connected',
    params: appParams,
    query: z.strictObject({ limit, cursor, room: z.string().max(1_024).optional().meta({ description: 'only those in this room' }) }),
    responses: { 200: listing(connectionSchema) },
    errors: ['invalid_cursor', 'unavailable'],
    handle: async ({ params, query }, { catalog, pool }) => {
      await needApp(catalog, params.appid)
      return ok(await pool.call('connections', { appid: params.appid, ...query }))
    }
  }),
  route({
    method: 'get',
    path: `${path}/:id`,
    access: 'read',
    summary: 'One connection',
    params: connectionParams,
    responses: { 200: connectionSchema },
    errors: ['connection_not_found', 'unavailable'],
    handle: async ({ params }, { catalog, pool }) => {
      await needApp(catalog, params.appid)
      const found = await pool.call('connection', params)
      if (found === null) throw gone(params.appid, params.id)
      return ok(found)
    }
  }),
  route({
    method: 'delete',
    path: `${path}/:id`,
    access: 'admin',
    summary: 'Close a connection',
    params: connectionParams,
    query: z.strictObject({ code: closeCode, reason: closeReason }),
    responses: { 204: null },
    errors: ['connection_not_found', 'unavailable'],
    handle: async ({ params, query: { code = 1_000, reason = '' } }, { catalog, pool }) => {
      await needApp(catalog, params.appid)
      if (!(await pool.call('closeConnection', { ...params, code, reason }))) throw gone(params.appid, params.id)
      return NO_CONTENT
    }
  }),
  route({
    method: 'post',
    path: `${path}/:id/send`,
    access: 'admin',
    summary: 'Send a message to a connection',
    params: connectionParams,
    body: z
      .strictObject({ data: text(MAX_DATA_BYTES * 2), binary: z.boolean().optional().meta({ description: '`data` is base64, and the message binary' }) })
      .refine(({ data, binary }) => binary !== true || isBase64(data), { error: 'is not base64', path: ['data'] })
      .refine(({ data, binary }) => Buffer.byteLength(data, binary === true ? 'base64' : 'utf8') <= MAX_DATA_BYTES, { error: `is larger than ${MAX_DATA_BYTES} bytes`, path: ['data'] }),
    maxBody: () => MAX_DATA_BYTES * 6,
    responses: { 200: z.object({ sent: z.literal(true) }) },
    errors: ['connection_not_found', 'unavailable'],
    handle: async ({ params, body: { data, binary = false } }, { catalog, pool }) => {
      await needApp(catalog, params.appid)
      if (!(await pool.call('sendTo', { ...params, data, binary }))) throw gone(params.appid, params.id)
      return ok({ sent: true })
    }
  })
]

function isBase64(value: string): boolean {
  return value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
}
