import type { z } from 'zod'
import { UserFault, type UserErrorCode } from '../errors.ts'

/** One thing that is wrong, and where. */
interface Problem {
  path: string
  message: string
}

/** A refinement with these params is told with this error code instead of `invalid_request`. */
export interface IssueParams {
  code: UserErrorCode
}

const MAX_PROBLEMS = 50

/** The value as the schema makes it. @throws UserFault that names each problem */
export function validate<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value, { reportInput: false })
  if (result.success) return result.data
  const { issues } = result.error
  const problems = issues.flatMap(problemsOf).slice(0, MAX_PROBLEMS)
  const code = issues.map((issue) => (issue as { params?: IssueParams }).params?.code).find((found) => found !== undefined)
  const [first] = problems
  throw new UserFault(code ?? 'invalid_request', `${first!.path}: ${first!.message}`, problems)
}

function problemsOf(issue: z.core.$ZodIssue): Problem[] {
  // A field that is not known is named itself, not the object that it is in.
  const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]
  const message = issue.code === 'unrecognized_keys' ? 'is not known here' : issue.message
  return paths.map((path) => ({ path: pathText(path), message }))
}

/** Never empty: the whole has a name, too, and a name that is empty shows as such. */
function pathText(path: PropertyKey[]): string {
  if (path.length === 0) return 'body'
  return path.map((part) => (part === '' ? '""' : String(part))).join('.').slice(0, 300)
}
