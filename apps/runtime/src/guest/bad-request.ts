import { NativeError } from './primordials.ts'

/** What the client sent cannot be read as what it says it is: the answer is 400. */
export class BadRequest extends NativeError {
  override readonly name = 'BadRequest'
}
