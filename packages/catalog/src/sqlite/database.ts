import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { migrate } from './schema.ts'

/** How long a writer waits for the writer of another process. */
const BUSY_MS = 10_000
const SQLITE_BUSY = 5

/** The catalog's file: statements that are prepared once, in transactions. */
export class Database {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** The first row, or undefined. */
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepared(sql).get(...values) as Row | undefined
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepared(sql).all(...values) as Row[]
  }

  /** How many rows it has changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes)
  }

  /** All that `work` reads is of one moment. */
  read<T>(work: () => T): T {
    return this.#transaction('BEGIN', work)
  }

  /** All that `work` changes is there afterwards, or nothing of it if it throws. */
  write<T>(work: () => T): T {
    // IMMEDIATE: a transaction that reads first and then writes could fail, when another process wrote in between.
    return this.#transaction('BEGIN IMMEDIATE', work)
  }

  close(): void {
    this.#statements.clear()
    if (this.#db.isOpen) this.#db.close()
  }

  #transaction<T>(begin: string, work: () => T): T {
    this.#db.exec(begin)
    try {
      const result = work()
      this.#db.exec('COMMIT')
      return result
    } finally {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    }
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** Opens the file, which is made if need be, for its owner only: tenants keep secrets in their env. */
export async function openDatabase(path: string): Promise<Database> {
  closeSync(openSync(path, 'a', 0o600))
  const db = new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true })
  try {
    await useWal(db)
    // Writes are rare here, and what was published has to survive a power cut.
    db.exec('PRAGMA synchronous = FULL')
    const database = new Database(db)
    database.write(() => migrate(db))
    return database
  } catch (error) {
    db.close()
    throw new Error(`cannot open the catalog ${path}: ${(error as Error).message}`, { cause: error })
  }
}

/** SQLite does not wait but fails when two processes turn the same new file to WAL at once, so this waits. */
async function useWal(db: DatabaseSync): Promise<void> {
  const deadline = Date.now() + BUSY_MS
  for (;;) {
    try {
      db.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== SQLITE_BUSY || Date.now() > deadline) throw error
    }
    await sleep(20)
  }
}
