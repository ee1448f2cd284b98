import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { own } from './owned.ts'

const END_TIMEOUT_MS = 2_000
const KEPT_ERRORS = 4_000

/** A program of the benchmarks in a process of its own, which prints a JSON object a line. */
export interface BenchChild<Line> {
  readonly pid: number
  /** The next line. @throws Error with what it wrote last, if it ends first or takes too long. */
  line(timeoutMs: number): Promise<Line>
  /** A line on its standard input. */
  tell(text?: string): void
  /** Ends it, by closing its standard input, else by force. */
  end(): Promise<void>
}

export function startChild<Line>(script: URL, args: string[]): BenchChild<Line> {
  const child = spawn(process.execPath, [script.pathname, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `code ${code}`}`))
  })
  // It may be gone when we write to it.
  child.stdin!.on('error', () => {})
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-KEPT_ERRORS)
  })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const end = own(() => endChild(child, exited))
  return {
    pid: child.pid ?? 0,
    line: async (timeoutMs) => {
      const late = Promise.withResolvers<never>()
      const timer = setTimeout(() => late.reject(new Error(`no answer from ${script.pathname} within ${timeoutMs} ms\n${errors}`)), timeoutMs)
      try {
        const { value, done } = await Promise.race([lines.next(), late.promise])
        if (done === true) throw new Error(`${script.pathname}: ${await exited}\n${errors}`)
        return JSON.parse(value) as Line
      } finally {
        clearTimeout(timer)
      }
    },
    tell: (text = '') => void child.stdin!.write(`${text}\n`),
    end
  }
}

async function endChild(child: ChildProcess, exited: Promise<string>): Promise<void> {
  child.stdin!.end()
  const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}
