/** One line about the console itself, for the operator. Apps have logs of their own. */
export function log(message: string, error?: unknown): void {
  const reason = error === undefined ? '' : `: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  process.stderr.write(`console: ${message}${reason}\n`)
}
