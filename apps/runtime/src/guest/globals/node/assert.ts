/** Node's assert, with messages in one line where Node draws a diff. */
import { coded, hide, invalidType } from '../define.ts'
import { inspect } from '../inspect.ts'
import { isDeepLooseEqual, isDeepStrictEqual } from './deep-equal.ts'

interface Failure { message?: unknown, generated?: string, actual?: unknown, expected?: unknown, operator?: string, stackStartFn?: Function }

export class AssertionError extends Error {
  code = 'ERR_ASSERTION'
  generatedMessage: boolean
  actual: unknown
  expected: unknown
  operator: string | undefined

  constructor({ message, generated, actual, expected, operator, stackStartFn }: Failure) {
    super(message === undefined ? generated ?? describe(actual, expected, operator) : String(message))
    this.generatedMessage = message === undefined
    this.actual = actual
    this.expected = expected
    this.operator = operator
    hide(this, { name: 'AssertionError' })
    // The stack begins at the caller of the assertion.
    // oxlint-disable-next-line unicorn/no-useless-error-capture-stack-trace
    Error.captureStackTrace(this, stackStartFn ?? AssertionError)
  }
}

const RELATIONS: Record<string, string> = {
  '==': '==', '!=': '!=', 'strictEqual': '===', 'notStrictEqual': '!==',
  'deepEqual': 'should loosely deep-equal', 'deepStrictEqual': 'should deep-equal', 'notDeepEqual': 'should not loosely deep-equal', 'notDeepStrictEqual': 'should not deep-equal'
}

const describe = (actual: unknown, expected: unknown, operator = 'fail'): string => `${inspect(actual)} ${RELATIONS[operator] ?? operator} ${inspect(expected)}`

type Message = string | Error | undefined

function check(holds: boolean, failure: Failure & { message?: Message }): void {
  if (holds) return
  if (failure.message instanceof Error) throw failure.message
  throw new AssertionError(failure)
}

type Comparison = (actual: unknown, expected: unknown, message?: Message) => void

function comparison(operator: string, holds: (a: unknown, b: unknown) => boolean): Comparison {
  const compare: Comparison = function (actual, expected, message) {
    if (arguments.length < 2) throw coded(new TypeError('The "actual" and "expected" arguments must be specified'), 'ERR_MISSING_ARGS')
    check(holds(actual, expected), { message, actual, expected, operator, stackStartFn: compare })
  }
  return compare
}

function ok(value?: unknown, message?: Message): void {
  const text = arguments.length === 0 ? 'No value argument passed to `assert.ok()`' : 'The expression evaluated to a falsy value'
  check(Boolean(value), { message, generated: text, actual: value, expected: true, operator: '==', stackStartFn: ok })
}

function fail(message?: Message): never {
  if (message instanceof Error) throw message
  throw new AssertionError({ message, generated: 'Failed', operator: 'fail', stackStartFn: fail })
}

type Expected = RegExp | Function | Error | Record<string, unknown>

/** Whether a thrown error is the expected one: by class, by test function, by pattern or by properties. */
function fits(error: any, expected: Expected | undefined): boolean {
  if (expected === undefined) return true
  if (expected instanceof RegExp) return expected.test(String(error))
  if (typeof expected === 'function') {
    if (expected.prototype !== undefined && error instanceof expected) return true
    if (Object.prototype.isPrototypeOf.call(Error, expected)) return false
    return Reflect.apply(expected, {}, [error]) === true
  }
  const keys = expected instanceof Error ? [...Object.keys(expected), 'name', 'message'] : Object.keys(expected)
  return keys.every(key => {
    const wanted = (expected as Record<string, unknown>)[key]
    const got: unknown = error?.[key]
    return wanted instanceof RegExp && typeof got === 'string' ? wanted.test(got) : isDeepStrictEqual(got, wanted)
  })
}

function judge(thrown: { error: unknown } | undefined, name: string, expected?: Expected | string, message?: Message): void {
  const [wanted, text] = typeof expected === 'string' ? [undefined, expected] : [expected, message]
  const kind = name === 'rejects' ? 'rejection' : 'exception'
  if (thrown === undefined) throw new AssertionError({ message: text ?? `Missing expected ${kind}.`, operator: name, expected: wanted })
  if (fits(thrown.error, wanted)) return
  check(false, { message: text, generated: `The ${kind} does not match the expected one: ${inspect(thrown.error)}`, actual: thrown.error, expected: wanted, operator: name })
}

function attempt(run: unknown): { error: unknown } | undefined {
  if (typeof run !== 'function') throw invalidType('fn', 'of type function', run)
  try {
    run()
  } catch (error) {
    return { error }
  }
  return undefined
}

async function attemptAsync(run: unknown): Promise<{ error: unknown } | undefined> {
  const promise: unknown = typeof run === 'function' ? run() : run
  if (typeof (promise as { then?: unknown } | null)?.then !== 'function') throw invalidType('promiseFn', 'of type function or an instance of Promise', run)
  try {
    await promise
  } catch (error) {
    return { error }
  }
  return undefined
}

function unwanted(thrown: { error: unknown } | undefined, name: string, message: unknown): void {
  if (thrown === undefined) return
  const text = `Got unwanted ${name === 'doesNotReject' ? 'rejection' : 'exception'}${typeof message === 'string' ? `: ${message}` : '.'}`
  throw new AssertionError({ message: `${text}\nActual message: "${(thrown.error as Error | null)?.message}"`, actual: thrown.error, operator: name })
}

function matches(name: string, wanted: boolean): (text: unknown, pattern: RegExp, message?: Message) => void {
  return (text, pattern, message) => {
    if (!(pattern instanceof RegExp)) throw invalidType('regexp', 'an instance of RegExp', pattern)
    const said = `The input ${wanted ? 'did not match' : 'was expected to not match'} the regular expression ${inspect(pattern)}. Input: ${inspect(text)}`
    check(typeof text === 'string' && pattern.test(text) === wanted, { message, generated: said, actual: text, expected: pattern, operator: name })
  }
}

// oxlint-disable-next-line eqeqeq -- what `assert.equal` is defined by
const loose = (a: unknown, b: unknown): boolean => a == b || (a !== a && b !== b)

const strictOnes = {
  strictEqual: comparison('strictEqual', Object.is),
  notStrictEqual: comparison('notStrictEqual', (a, b) => !Object.is(a, b)),
  deepStrictEqual: comparison('deepStrictEqual', isDeepStrictEqual),
  notDeepStrictEqual: comparison('notDeepStrictEqual', (a, b) => !isDeepStrictEqual(a, b))
}

const common = {
  ...strictOnes,
  ok,
  fail,
  AssertionError,
  throws: (run: unknown, expected?: Expected | string, message?: Message) => judge(attempt(run), 'throws', expected, message),
  doesNotThrow: (run: unknown, expected?: unknown, message?: unknown) => unwanted(attempt(run), 'doesNotThrow', message ?? expected),
  rejects: async (run: unknown, expected?: Expected | string, message?: Message) => judge(await attemptAsync(run), 'rejects', expected, message),
  doesNotReject: async (run: unknown, expected?: unknown, message?: unknown) => unwanted(await attemptAsync(run), 'doesNotReject', message ?? expected),
  match: matches('match', true),
  doesNotMatch: matches('doesNotMatch', false),
  ifError(value: unknown) {
    if (value !== null && value !== undefined) throw new AssertionError({ message: `ifError got unwanted exception: ${value instanceof Error ? value.message : inspect(value)}`, actual: value, expected: null, operator: 'ifError' })
  }
}

export const strict = Object.assign((value?: unknown, message?: Message) => ok(value, message), common, {
  equal: strictOnes.strictEqual,
  notEqual: strictOnes.notStrictEqual,
  deepEqual: strictOnes.deepStrictEqual,
  notDeepEqual: strictOnes.notDeepStrictEqual
})

export const assert = Object.assign((value?: unknown, message?: Message) => ok(value, message), common, {
  equal: comparison('==', loose),
  notEqual: comparison('!=', (a, b) => !loose(a, b)),
  deepEqual: comparison('deepEqual', isDeepLooseEqual),
  notDeepEqual: comparison('notDeepEqual', (a, b) => !isDeepLooseEqual(a, b)),
  strict
})
hide(strict, { strict })
