import { DATA, type Options } from '@socklet/config'
import type { Catalog } from './catalog.ts'
import { openSqliteCatalog } from './sqlite.ts'

export * from './catalog.ts'
export { appidIn, dataName } from './instance.ts'

/**
 * The platform's catalog: in MongoDB if there is a URL, else in the data folder, in which the process has to be.
 * @throws Error that says what is wrong with the file or the server.
 */
export async function openCatalog(options: Pick<Options, 'mongodb-url'>): Promise<Catalog> {
  const url = options['mongodb-url']
  if (url === null) return openSqliteCatalog(DATA.catalog)
  // Loaded only when it is needed: the driver is large.
  const { openMongoCatalog } = await import('./mongodb.ts')
  return openMongoCatalog(url)
}
