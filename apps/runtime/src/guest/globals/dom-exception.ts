import { define, webInterface } from './define.ts'
import { indexOf } from '../lists.ts'
import { NativeError, captureStackTrace, objectDefine, toText } from '../primordials.ts'

/** The names that have a number, from 1 on (Web IDL, "DOMException"), also those that nothing throws any more. */
const CODES = [
  'IndexSizeError', 'DOMStringSizeError', 'HierarchyRequestError', 'WrongDocumentError', 'InvalidCharacterError', 'NoDataAllowedError', 'NoModificationAllowedError', 'NotFoundError',
  'NotSupportedError', 'InUseAttributeError', 'InvalidStateError', 'SyntaxError', 'InvalidModificationError', 'NamespaceError', 'InvalidAccessError',
  'ValidationError', 'TypeMismatchError', 'SecurityError', 'NetworkError', 'AbortError', 'URLMismatchError', 'QuotaExceededError', 'TimeoutError',
  'InvalidNodeTypeError', 'DataCloneError'
]

/** The numbers by the names that they had (Web IDL). */
const CONSTANTS = [
  'INDEX_SIZE_ERR', 'DOMSTRING_SIZE_ERR', 'HIERARCHY_REQUEST_ERR', 'WRONG_DOCUMENT_ERR', 'INVALID_CHARACTER_ERR', 'NO_DATA_ALLOWED_ERR',
  'NO_MODIFICATION_ALLOWED_ERR', 'NOT_FOUND_ERR', 'NOT_SUPPORTED_ERR', 'INUSE_ATTRIBUTE_ERR', 'INVALID_STATE_ERR', 'SYNTAX_ERR',
  'INVALID_MODIFICATION_ERR', 'NAMESPACE_ERR', 'INVALID_ACCESS_ERR', 'VALIDATION_ERR', 'TYPE_MISMATCH_ERR', 'SECURITY_ERR', 'NETWORK_ERR',
  'ABORT_ERR', 'URL_MISMATCH_ERR', 'QUOTA_EXCEEDED_ERR', 'TIMEOUT_ERR', 'INVALID_NODE_TYPE_ERR', 'DATA_CLONE_ERR'
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
for (let i = 0; i < CONSTANTS.length; i++) {
  const constant = { __proto__: null, value: i + 1, enumerable: true } as PropertyDescriptor
  objectDefine(DOMException, CONSTANTS[i]!, constant)
  objectDefine(DOMException.prototype, CONSTANTS[i]!, constant)
}

export const abortError = (): DOMException => new DOMException('This operation was aborted', 'AbortError')
