import type { FetchFailure } from '@socklet/protocol'

/** Why an outgoing request failed, in words that the app may see. */
export class FetchError extends Error {
  override readonly name: string
  readonly code: string
  constructor(code: string, message: string, name = 'Error') {
    super(message)
    this.code = code
    this.name = name
  }
}

/** Also of what undici, the sockets and zlib throw. Their messages tell of the request only. */
export function failureOf(error: unknown): FetchFailure {
  const { name, message, code } = (innermost(error) ?? {}) as Partial<FetchFailure>
  return { name: text(name, 'Error'), message: text(message, 'the request failed'), code: text(code, '') }
}

/** What an AggregateError of several addresses has last is as good as any. */
function innermost(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors.at(-1) : error
}

function text(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value.slice(0, 500) : fallback
}
