import { readdirSync, readFileSync } from 'node:fs'

/** What /proc says of processes: proc(5). Linux only. */
const PROC = '/proc'
/** `USER_HZ`, the unit of times in /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICK_US = 10_000

interface Stat {
  pid: number
  parent: number
  /** Of the process and of its children that have ended. */
  cpuUs: number
}

/**
 * What follows the name in /proc/PID/stat; the name itself may hold spaces and parentheses.
 * @throws Error if this is no such line.
 */
export function parseStat(line: string): Stat {
  const nameEnd = line.lastIndexOf(')')
  const fields = line.slice(nameEnd + 2).split(' ')
  // Field 3 of proc(5) is the first one here.
  const field = (number: number): number => Number(fields[number - 3])
  const ticks = field(14) + field(15) + field(16) + field(17)
  if (nameEnd === -1 || Number.isNaN(ticks)) throw new Error(`not a line of /proc/PID/stat: ${line}`)
  return { pid: Number.parseInt(line, 10), parent: field(4), cpuUs: ticks * TICK_US }
}

/** A process and all that it has started, in no order. Empty if it has ended. */
function treeOf(root: number): Stat[] {
  const all = readdirSync(PROC).filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    const line = read(`${PROC}/${pid}/stat`)
    return line === '' ? [] : [parseStat(line)]
  })
  const tree = all.filter(({ pid }) => pid === root)
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid))
  return tree
}

export function pidsOf(root: number): number[] {
  return treeOf(root).map(({ pid }) => pid)
}

/** CPU microseconds, user and system, of a process and all that it has started. Steps of 10 ms. */
export function cpuUsOf(root: number): number {
  return treeOf(root).reduce((sum, { cpuUs }) => sum + cpuUs, 0)
}

/** Bytes of memory of a process and all that it has started; what several share is counted once (Pss) where the system says that. */
export function memoryOf(root: number): number {
  return treeOf(root).reduce((sum, { pid }) => sum + memoryOfOne(pid), 0)
}

function memoryOfOne(pid: number): number {
  const pss = /^Pss:\s+(\d+) kB$/m.exec(read(`${PROC}/${pid}/smaps_rollup`))
  const rss = pss ?? /^VmRSS:\s+(\d+) kB$/m.exec(read(`${PROC}/${pid}/status`))
  return rss === null ? 0 : Number(rss[1]) * 1024
}

/**
 * Bytes that a process has read and written: proc(5), /proc/PID/io. Of sockets too what is read; what is sent by sendmsg(2), as libuv
 * does, the system does not count. 0 where that cannot be read.
 */
export function ioBytesOf(pid: number): { read: number; written: number } {
  const text = read(`${PROC}/${pid}/io`)
  const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  return { read: field('rchar'), written: field('wchar') }
}

/** '' if the process has ended meanwhile, or is not ours to look at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
