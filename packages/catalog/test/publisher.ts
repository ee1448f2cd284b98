/**
 * A process that publishes: node publisher.ts FILE APPID COUNT TAG. Each publish has the functions `a`, `b` and `c`, with
 * the same code. COUNT 0 goes on until the process is killed; each round that was answered is a line on stdout.
 */
import { writeSync } from 'node:fs'
import { openSqliteCatalog } from '../src/sqlite.ts'

const [, , file, appid, count, tag] = process.argv as [string, string, string, string, string, string]
const rounds = count === '0' ? Infinity : Number(count)
const catalog = await openSqliteCatalog(file)
const padding = 'x'.repeat(256 * 1024)

for (let round = 1; round <= rounds; round++) {
  const code = `${tag} ${round} ${padding}`
  const put = ['a', 'b', 'c'].map((name) => ({ name, code, compiled: code, hash: `${tag}-${round}`, methods: [], description: '', changelog: '' }))
  const { revision } = await catalog.publish(appid, { put, remove: [], maxFunctions: 10 })
  writeSync(1, `${revision}\n`)
}
await catalog.close()
