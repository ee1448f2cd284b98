import type { DatabaseSync } from 'node:sqlite'

/**
 * What brings the file from one version of the schema to the next, as in the catalog: a step that was released MUST NOT be changed.
 *
 * An app has a number in this file, so that a row costs few bytes. Rows of one node lie side by side, in the order of its entries; a new entry
 * goes to the end, so that a small write changes one page. They hold the records as they came: to read an app is to join them.
 */
const MIGRATIONS = [
  `
  CREATE TABLE apps (
    appid TEXT PRIMARY KEY,
    app   INTEGER NOT NULL UNIQUE,
    lease INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- One row: the last number that was given to an app or a lease. None is given twice, even if the app was removed.
  CREATE TABLE numbers (last INTEGER NOT NULL) STRICT;
  INSERT INTO numbers VALUES (0);

  -- All but node 0. A size is in bytes as records.ts counts them, a record what it says there.
  CREATE TABLE nodes (
    app    INTEGER NOT NULL,
    node   INTEGER NOT NULL,
    kind   INTEGER NOT NULL,
    size   INTEGER NOT NULL,
    record BLOB NOT NULL, -- a NODE
    PRIMARY KEY (app, node)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE entries (
    app    INTEGER NOT NULL,
    node   INTEGER NOT NULL,
    entry  INTEGER NOT NULL,
    size   INTEGER NOT NULL,
    record BLOB NOT NULL, -- a SET
    PRIMARY KEY (app, node, entry)
  ) STRICT, WITHOUT ROWID;
  `
]

/**
 * Brings the schema up to date, within the transaction that the caller has begun.
 * @throws Error if a later Socklet has written the file.
 */
export function migrate(db: DatabaseSync): void {
  const version = versionOf(db)
  if (version === MIGRATIONS.length) return
  for (const step of MIGRATIONS.slice(version)) db.exec(step)
  db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
}

/** @throws Error if the file is not of this version, or not finished */
export function checkSchema(db: DatabaseSync): void {
  if (versionOf(db) !== MIGRATIONS.length) throw new Error('it was not yet made, or by an earlier version of Socklet than this one')
}

/** @throws Error if a later Socklet has written the file. */
function versionOf(db: DatabaseSync): number {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version > MIGRATIONS.length) throw new Error('it was written by a later version of Socklet than this one')
  return version
}
