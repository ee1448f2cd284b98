import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { DATA, TOKEN_RULE, isToken } from '@socklet/config'

const TOKEN_BYTES = 32
const OWNER_ONLY = 0o600

/**
 * The admin token of the data folder, in which the process has to be. It is made if there is none.
 * @throws Error if what is there can be none
 */
export function keptAdminToken(): string {
  return readToken() ?? makeToken()
}

function readToken(): string | null {
  try {
    const token = readFileSync(DATA.adminToken, 'utf8').trim()
    chmodSync(DATA.adminToken, OWNER_ONLY)
    if (token === '') return null
    if (!isToken(token)) throw new Error(`the token in the file ${DATA.adminToken} is none: it takes ${TOKEN_RULE}`)
    return token
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Written beside and renamed, so that after a crash the file is whole or not there. */
function makeToken(): string {
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const temporary = `${DATA.adminToken}.new`
  const file = openSync(temporary, 'w', OWNER_ONLY)
  try {
    writeFileSync(file, `${token}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  chmodSync(temporary, OWNER_ONLY)
  renameSync(temporary, DATA.adminToken)
  return token
}
