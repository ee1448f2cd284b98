import type { DatabaseSync } from 'node:sqlite'

/**
 * What brings a catalog from one version of the schema to the next. `user_version` of the file counts the ones
 * that were applied, so a step that was released MUST NOT be changed: append another.
 */
const MIGRATIONS = [
  `
  CREATE TABLE apps (
    appid      TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    state      TEXT NOT NULL,
    limits     TEXT NOT NULL, -- JSON
    revision   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;

  -- A function that was removed stays here with live = 0, because its version numbers go on.
  CREATE TABLE functions (
    appid   TEXT NOT NULL REFERENCES apps ON DELETE CASCADE,
    name    TEXT NOT NULL,
    version INTEGER NOT NULL,
    live    INTEGER NOT NULL,
    PRIMARY KEY (appid, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE versions (
    appid        TEXT NOT NULL REFERENCES apps ON DELETE CASCADE,
    name         TEXT NOT NULL,
    version      INTEGER NOT NULL,
    hash         TEXT NOT NULL,
    methods      TEXT NOT NULL, -- JSON
    description  TEXT NOT NULL,
    changelog    TEXT NOT NULL,
    published_at INTEGER NOT NULL,
    code         TEXT NOT NULL,
    compiled     TEXT NOT NULL,
    PRIMARY KEY (appid, name, version)
  ) STRICT;

  CREATE TABLE env (
    appid      TEXT NOT NULL REFERENCES apps ON DELETE CASCADE,
    name       TEXT NOT NULL,
    value      TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (appid, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE tokens (
    id         TEXT PRIMARY KEY,
    appid      TEXT NOT NULL REFERENCES apps ON DELETE CASCADE,
    name       TEXT NOT NULL,
    scopes     TEXT NOT NULL, -- JSON
    hash       TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
  ) STRICT;
  CREATE INDEX tokens_of_app ON tokens (appid);

  CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE apps ADD COLUMN instance TEXT NOT NULL DEFAULT '';

  -- Apps of which something may still be kept outside this file.
  CREATE TABLE deleted_apps (
    appid    TEXT NOT NULL,
    instance TEXT NOT NULL,
    PRIMARY KEY (appid, instance)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- '' is that of an app from before there were secrets, until it is asked for.
  ALTER TABLE apps ADD COLUMN secret TEXT NOT NULL DEFAULT '';
  `
]

/**
 * Brings the schema up to date, within the transaction that the caller has begun.
 * @throws Error if a later Socklet has written the file.
 */
export function migrate(db: DatabaseSync): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version > MIGRATIONS.length) throw new Error('the catalog was written by a later version of Socklet than this one')
  if (version === MIGRATIONS.length) return
  for (const step of MIGRATIONS.slice(version)) db.exec(step)
  db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
}
