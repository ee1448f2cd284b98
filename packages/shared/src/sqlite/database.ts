import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { SharedError } from '../store.ts'
import { checkSchema, migrate } from './schema.ts'

/** How long a writer waits for the writer of another process. */
const BUSY_MS = 5_000
/** What the write-ahead log is cut to when it has been copied into the file. */
const WAL_BYTES = 16 * 1024 * 1024

/** The store's file: statements that are prepared once, in transactions. Rows come as lists. */
export class StoreDatabase {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** The first row, or undefined. */
  get<Row extends unknown[]>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.prepared(sql).get(...values) as unknown as Row | undefined
  }

  all<Row extends unknown[]>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.prepared(sql).all(...values) as unknown as Row[]
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.prepared(sql).run(...values)
  }

  /** All that `work` reads is of one moment. @throws SharedError `failed`, or what `work` has thrown as a SharedError */
  read<T>(work: () => T): T {
    return this.#transaction('BEGIN', work)
  }

  /** All that `work` changes is there afterwards, or nothing of it if it throws. @throws as `read` */
  write<T>(work: () => T): T {
    // IMMEDIATE: a transaction that reads first and then writes could fail, when another process wrote in between.
    return this.#transaction('BEGIN IMMEDIATE', work)
  }

  /** Within a transaction: what `work` has changed is taken back if it throws. */
  attempt<T>(work: () => T): T {
    this.run('SAVEPOINT attempt')
    try {
      const result = work()
      this.run('RELEASE attempt')
      return result
    } catch (error) {
      // A full disk may have ended the whole transaction.
      if (this.#db.isTransaction) {
        this.run('ROLLBACK TO attempt')
        this.run('RELEASE attempt')
      }
      throw error
    }
  }

  prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      statement.setReturnArrays(true)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  close(): void {
    this.#statements.clear()
    if (this.#db.isOpen) this.#db.close()
  }

  #transaction<T>(begin: string, work: () => T): T {
    try {
      this.run(begin)
      const result = work()
      this.run('COMMIT')
      return result
    } catch (error) {
      throw error instanceof SharedError ? error : new SharedError('failed', `the shared store: ${(error as Error).message}`, { cause: error })
    } finally {
      if (this.#db.isOpen && this.#db.isTransaction) this.#db.exec('ROLLBACK')
    }
  }
}

/**
 * Opens the file. If it may be written it is made if need be, for its owner only.
 *
 * With synchronous = NORMAL a transaction is in the write-ahead log when it has been committed, that is with the operating system: it
 * survives the death of every process. The log reaches the disk when it is copied into the file, about every 4 MB: a power cut may
 * take the transactions since then, the last ones first, and never a part of one (sqlite.org/pragma.html#pragma_synchronous).
 */
export function openStoreDatabase(path: string, readOnly: boolean): StoreDatabase {
  if (!readOnly) closeSync(openSync(path, 'a', 0o600))
  let db: DatabaseSync | null = null
  try {
    db = new DatabaseSync(path, { timeout: BUSY_MS, readOnly })
    const database = new StoreDatabase(db)
    if (readOnly) {
      checkSchema(db)
      return database
    }
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${WAL_BYTES}`)
    const opened = db
    database.write(() => migrate(opened))
    return database
  } catch (error) {
    db?.close()
    throw new Error(`cannot open the shared store ${path}: ${(error as Error).message}`, { cause: error })
  }
}
