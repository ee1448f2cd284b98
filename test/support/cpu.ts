import { readFileSync } from 'node:fs'

/** What a process, or one of its threads, has used of the processor (proc(5): the 14th and 15th of its fields, in ticks of 10 ms). Milliseconds. Linux only. */
export function cpuMs(pid: number, thread?: number): number {
  const stat = readFileSync(thread === undefined ? `/proc/${pid}/stat` : `/proc/${pid}/task/${thread}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
