/** proc(5), `/proc/PID/status`: resident memory in bytes. Not from `statm`, whose pages are larger on some machines. 0 of a process that has ended. */
export function residentBytes(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
}
