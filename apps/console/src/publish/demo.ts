import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CatalogError, type Catalog } from '@socklet/catalog'
import { PlatformFault } from '../errors.ts'
import { log } from '../log.ts'
import type { Draft, Publisher } from './publisher.ts'

const DEMO_APPID = 'demo'
const SETTING = 'demo'
const FOLDER = fileURLToPath(new URL('../../../../packages/cloud/samples/demo/', import.meta.url))

/**
 * Publishes the sample app, once in the life of a data folder: whoever deletes it does not get it back.
 * Without the sample the platform works all the same, so a failure is only logged.
 */
export async function publishDemo(catalog: Catalog, publisher: Publisher, folder = FOLDER): Promise<void> {
  try {
    const setting = await catalog.getSetting(SETTING)
    if (setting === 'published') return
    const put = await readFunctions(folder)
    // An app `demo` is somebody's own, unless the last start made it and did not come to publish.
    await catalog.setSetting(SETTING, 'begun')
    if ((await createDemo(catalog)) || setting === 'begun') await publisher.publish(DEMO_APPID, { put }).catch(unlessStored)
    await catalog.setSetting(SETTING, 'published')
  } catch (error) {
    log('the sample app was not published', error)
  }
}

/** false if there is an app of that name. */
async function createDemo(catalog: Catalog): Promise<boolean> {
  try {
    await catalog.createApp({ appid: DEMO_APPID, name: 'The sample app' })
    return true
  } catch (error) {
    if (error instanceof CatalogError && error.code === 'app_exists') return false
    throw error
  }
}

function unlessStored(error: unknown): void {
  if (!(error instanceof PlatformFault) || error.code !== 'unavailable') throw error
}

/** The functions in a folder: `__websocket__.ts` is the function `__websocket__`. */
async function readFunctions(folder: string): Promise<Draft[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')).toSorted()
  return await Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -'.ts'.length),
      code: await readFile(join(folder, file), 'utf8'),
      methods: [],
      description: '',
      changelog: 'the sample that comes with Socklet'
    }))
  )
}
