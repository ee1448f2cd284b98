import { define, webInterface } from './define.ts'
import { indexOf } from '../lists.ts'
import { NativeError, captureStackTrace, toText } from '../primordials.ts'

/** The names that have a number, from 1 on (Web IDL, "DOMException"), also those that nothing throws any more. */
const CODES = [
  'IndexSizeError', 'DOMStringSizeError', 'HierarchyRequestError', 'WrongDocumentError', 'InvalidCharacterError', 'NoDataAllowedError', 'NoModificationAllowedError', 'NotFoundError',
  'NotSupportedError', 'InUseAttributeError', 'InvalidStateError', 'SyntaxError', 'InvalidModificationError', 'NamespaceError', 'InvalidAccessError',
  'ValidationError', 'TypeMismatchError', 'SecurityError', 'NetworkError', 'AbortError', 'URLMismatchError', 'QuotaExceededError', 'TimeoutError',
  'InvalidNodeTypeError', 'DataCloneError'
]

export class DOMException extends NativeError {
  #message: string
  #name: string

  constructor(message: unknown = '', options: unknown = 'Error') {
    // With a message of its own while the stack is taken, for its first line; then the one of the prototype, as in browsers, shows through.
    super(toText(message))
    this.#message = toText(message)
    if (typeof options === 'object' && options !== null) {
      const { name = 'Error', cause } = options as { name?: unknown, cause?: unknown }
      this.#name = toText(name)
      if ('cause' in options) define(this, 'cause', cause)
    } else {
      this.#name = toText(options)
    }
    // oxlint-disable-next-line unicorn/no-useless-error-capture-stack-trace -- only now can its first line tell the name
    captureStackTrace(this, new.target)
    delete (this as { message?: string }).message
  }

  override get name(): string {
    return this.#name
  }

  override get message(): string {
    return this.#message
  }

  get code(): number {
    return this.#name === '' ? 0 : indexOf(CODES, this.#name) + 1
  }
}

webInterface(DOMException, 'DOMException', ['name', 'message', 'code'])
for (const [index, name] of CODES.entries()) {
  // `InvalidStateError` → `INVALID_STATE_ERR`
  const constant = `${name.replace('URLM', 'UrlM').replace('DOMS', 'Doms').replace('InUse', 'Inuse').replace(/Error$/, '').replace(/(?<=[a-z])[A-Z]/g, '_$&').toUpperCase()}_ERR`
  for (const target of [DOMException, DOMException.prototype]) Object.defineProperty(target, constant, { value: index + 1, enumerable: true })
}

export const abortError = (): DOMException => new DOMException('This operation was aborted', 'AbortError')
