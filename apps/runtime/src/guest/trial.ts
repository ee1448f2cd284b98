import { describeError } from './log.ts'
import { mainOf, type PlatformModules, type Program } from './modules.ts'
import { bareObject, jsonStringify, substring, toText } from './primordials.ts'

const MAX_MESSAGE_UNITS = 2_000
const answers = bareObject<string>()

/**
 * Loads a function as its first event would. '' or, as JSON, what it threw: `{ message, stack }`. Asked again, the
 * answer is the same: an unhandled rejection makes isolated-vm lose the first one.
 */
export function tryFunction(program: Program, name: string, platform: PlatformModules): string {
  answers[name] ??= loadError(program, name, platform)
  return answers[name]
}

function loadError(program: Program, name: string, platform: PlatformModules): string {
  try {
    mainOf(program, program.functions[name]!, platform)
    return ''
  } catch (error) {
    const problem = bareObject<string>()
    problem['message'] = messageOf(error)
    problem['stack'] = describeError(error)
    return jsonStringify(problem)
  }
}

/** Runs tenant code (getters, toString), and none of it can escape from here. */
function messageOf(error: unknown): string {
  try {
    if (typeof error !== 'object' || error === null) return substring(toText(error), 0, MAX_MESSAGE_UNITS)
    const { name, message } = error as { name: unknown; message: unknown }
    if (typeof message === 'string') return substring(typeof name === 'string' && name !== '' ? `${name}: ${message}` : message, 0, MAX_MESSAGE_UNITS)
    return substring(toText(error), 0, MAX_MESSAGE_UNITS)
  } catch {
    return 'a value that cannot be turned into text'
  }
}
