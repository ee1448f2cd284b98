import { randomBytes } from 'node:crypto'
import type { App } from './catalog.ts'

const BYTES = 9

/** For an app that is made: no other app of its appid ever has the same. */
export function newInstance(): string {
  return randomBytes(BYTES).toString('base64url')
}

/**
 * What is kept of an app outside the catalog (shared values, log) is kept under this name, which no other app ever has. So an app never sees
 * what a deleted one of the same appid has left, however late that is removed.
 */
export function dataName({ appid, instance }: Pick<App, 'appid' | 'instance'>): string {
  // An appid has no slash. Apps from before there were instances keep what they have, under their appid.
  return instance === '' ? appid : `${appid}/${instance}`
}

/** The appid in a name that `dataName` has made. */
export function appidIn(name: string): string {
  return name.split('/', 1)[0]!
}
