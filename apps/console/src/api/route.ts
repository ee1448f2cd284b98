import type { Request, Response } from 'express'
import type { z } from 'zod'
import type { LimitName } from '@socklet/config'
import type { Access, Caller } from '../auth.ts'
import type { ErrorCode } from '../errors.ts'
import type { Services } from '../services.ts'

/** A request that has passed all checks of its route. */
export interface Call<P, Q, B> {
  params: P
  query: Q
  body: B
  caller: Caller
  req: Request
  res: Response
}

export interface Answer {
  status: number
  /** Sent as JSON, or as it is if the route has another content type; none with 204. */
  body?: unknown
  headers?: Record<string, string>
}

/**
 * A method and path, with all that is checked before it runs and all that is told about it outside:
 * the routes of express and the OpenAPI document are made from the same table.
 */
export interface RouteSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  method: 'get' | 'put' | 'post' | 'patch' | 'delete'
  /** As express writes it; `*name` takes slashes. */
  path: string
  access: Access
  summary: string
  doc?: string
  params?: P
  query?: Q
  body?: B
  /** The body may be a source as it is, which stands for `{ code }`. */
  source?: boolean
  /** Bytes that the body may have, default 1 MiB. */
  maxBody?: (params: z.output<P>, services: Services) => number | Promise<number>
  /** The app's limit that this comes from. */
  bodyLimit?: LimitName
  /** What it answers, by status; null for no body. */
  responses: Record<number, z.ZodType | null>
  /** Content type of the answer if it is not JSON. */
  produces?: string
  /** Errors beside those that its parts imply. */
  errors?: ErrorCode[]
  /** An answer, or nothing if it has answered itself. */
  handle: (call: Call<z.output<P>, z.output<Q>, z.output<B>>, services: Services) => Promise<Answer | undefined>
}

export type Route = RouteSpec<z.ZodType, z.ZodType, z.ZodType>

/** Checks that the handler fits its schemas, and forgets their types. */
export function route<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(spec: RouteSpec<P, Q, B>): Route {
  return spec as unknown as Route
}

export function ok(body: unknown): Answer {
  return { status: 200, body }
}

export const NO_CONTENT: Answer = { status: 204 }
