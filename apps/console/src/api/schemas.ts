import { z } from 'zod'
import { isAppid, isEnvName, isFunctionName, isReservedAppid } from '@socklet/config'
import type { IssueParams } from './validate.ts'

/*
 * Schemas that several routes share. What comes in is strict: a field that is not known is refused by name, so
 * nobody sets what only the platform sets, and nobody's spelling mistake goes unnoticed.
 */

const INVALID_NAME: { params: IssueParams } = { params: { code: 'invalid_name' } }

const APPID_RULE = 'an appid has 3 to 32 lower-case letters, digits and hyphens, begins with a letter and ends with no hyphen'
const FUNCTION_RULE = 'a function name has 1 to 256 letters, digits, `_`, `.`, `-` and `/`, with no slash at either end and no `./`'
const ENV_RULE = 'the name of a variable has 1 to 128 letters, digits and `_`, and begins with no digit'

export const appid = z
  .string()
  .refine((value) => !isReservedAppid(value), { error: ({ input }) => `${String(input)} is reserved: the platform itself answers there`, abort: true, ...INVALID_NAME })
  .refine(isAppid, { error: APPID_RULE, ...INVALID_NAME })
  .meta({ pattern: '^[a-z][a-z0-9-]{1,30}[a-z0-9]$' })
export const functionName = z.string().refine(isFunctionName, { error: FUNCTION_RULE, ...INVALID_NAME }).meta({ description: FUNCTION_RULE })
export const envName = z.string().refine(isEnvName, { error: ENV_RULE, ...INVALID_NAME }).meta({ description: ENV_RULE })

/** Text that can be stored and read back: half of a surrogate pair would come back as something else. */
export function text(max: number, min = 0): z.ZodString {
  return z.string().min(min).max(max).refine((value) => value.isWellFormed(), 'is not well-formed Unicode')
}

/** A number in a query or path. */
export function number(min: number, max: number): z.ZodType<number> {
  const fits = (value: string): boolean => /^\d{1,16}$/.test(value) && Number(value) >= min && Number(value) <= max
  return z.string().refine(fits, `must be a whole number from ${min} to ${max}`).transform(Number).meta({ type: 'integer', minimum: min, maximum: max })
}

export const limit = number(1, 1_000).optional().transform((value) => value ?? 100).meta({ type: 'integer', minimum: 1, maximum: 1_000, description: '100 if absent' })

export const cursor = z.string().min(1).max(1_024).optional().meta({ description: '`nextCursor` of the page before' })
export const paging = z.strictObject({ limit, cursor })

export const appParams = z.strictObject({ appid })
/** express gives a path with slashes as its segments. */
const functionPath = z.array(z.string()).transform((segments) => segments.join('/')).pipe(functionName)
export const functionParams = z.strictObject({ appid, name: functionPath })
const versionNumber = number(1, Number.MAX_SAFE_INTEGER)
export const versionParams = z.strictObject({ appid, name: functionPath, version: versionNumber })
export const connectionParams = z.strictObject({ appid, id: z.string().min(1).max(256) })

export const time = z.iso.datetime()

/** Milliseconds since 1970 as they are told outside. */
export function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

export function listing<T extends z.ZodType>(item: T): z.ZodObject<{ items: z.ZodArray<T>; nextCursor: z.ZodOptional<z.ZodString> }> {
  return z.object({ items: z.array(item), nextCursor: z.string().optional().meta({ description: 'absent at the end' }) })
}

/**
 * An object whose keys are names that callers choose, as entries: `__proto__` is a name like any other,
 * and zod's own record leaves it out.
 */
export function named<V extends z.ZodType>(key: z.ZodType<string>, value: V, maxKeys: number): z.ZodType<[name: string, value: z.output<V>][]> {
  const { $schema: _, ...valueSchema } = z.toJSONSchema(value, { io: 'input', unrepresentable: 'any' })
  return z
    .custom<Record<string, unknown>>((input) => typeof input === 'object' && input !== null && !Array.isArray(input), 'must be an object')
    .transform((input, context) => {
      const entries = Object.entries(input)
      if (entries.length > maxKeys) context.addIssue({ code: 'custom', message: `has ${entries.length} entries, more than ${maxKeys}` })
      return entries.slice(0, maxKeys).map(([name, raw]): [string, z.output<V>] => {
        const parts = [key.safeParse(name), value.safeParse(raw)] as const
        for (const part of parts) {
          for (const issue of part.error?.issues ?? []) context.addIssue({ ...issue, path: [name, ...issue.path] } as Parameters<typeof context.addIssue>[0])
        }
        return [name, parts[1].data as z.output<V>]
      })
    })
    .meta({ type: 'object', additionalProperties: valueSchema })
}
