import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Token } from '@socklet/catalog'
import { hashSecret, newSecret } from '../auth.ts'
import { UserFault } from '../errors.ts'
import { NO_CONTENT, ok, route, type Route } from './route.ts'
import { appParams, appid, iso, text, time } from './schemas.ts'

const MAX_TOKENS = 100
const SCOPES = ['read', 'deploy', 'admin'] as const

const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  createdAt: time,
  expiresAt: time.nullable()
})

function outward({ id, name, scopes, createdAt, expiresAt }: Token): z.input<typeof tokenSchema> {
  return { id, name, scopes, createdAt: iso(createdAt), expiresAt: expiresAt === null ? null : iso(expiresAt) }
}

const path = '/v1/apps/:appid/tokens'

export const tokenRoutes: Route[] = [
  route({
    method: 'get',
    path,
    access: 'admin',
    summary: 'List the tokens of the app',
    doc: 'Without their secrets, which nobody has.',
    params: appParams,
    responses: { 200: z.object({ items: z.array(tokenSchema) }) },
    handle: async ({ params }, { catalog }) => ok({ items: (await catalog.listTokens(params.appid)).map(outward) })
  }),
  route({
    method: 'post',
    path,
    access: 'admin',
    summary: 'Make a token for this app',
    doc: '`read` sees all of the app but its tokens; `deploy` changes functions and environment, too; `admin` does all but what takes the platform’s admin token. The secret is in `token`, and is shown this once.',
    params: appParams,
    body: z.strictObject({
      name: text(128, 1),
      scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
      expiresAt: z.iso.datetime({ offset: true, abort: true }).refine((value) => Date.parse(value) > Date.now(), 'is in the past').nullable().optional()
    }),
    responses: { 201: tokenSchema.extend({ token: z.string() }) },
    errors: ['too_many_tokens'],
    handle: async ({ params, body }, { catalog }) => {
      const existing = await catalog.listTokens(params.appid)
      if (existing.length >= MAX_TOKENS) throw new UserFault('too_many_tokens', `${params.appid} has ${existing.length} tokens, and can have ${MAX_TOKENS}`)
      const secret = newSecret()
      const token = await catalog.createToken({
        id: randomBytes(8).toString('hex'),
        appid: params.appid,
        name: body.name,
        scopes: [...new Set(body.scopes)],
        expiresAt: body.expiresAt === undefined || body.expiresAt === null ? null : Date.parse(body.expiresAt),
        hash: hashSecret(secret)
      })
      return { status: 201, body: { ...outward(token), token: secret } }
    }
  }),
  route({
    method: 'delete',
    path: `${path}/:id`,
    access: 'admin',
    summary: 'Revoke a token',
    params: z.strictObject({ appid, id: z.string().min(1).max(64) }),
    responses: { 204: null },
    errors: ['token_not_found'],
    handle: async ({ params }, { catalog }) => {
      await catalog.deleteToken(params.appid, params.id)
      return NO_CONTENT
    }
  })
]
