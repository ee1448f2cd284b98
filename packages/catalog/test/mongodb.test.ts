import { randomBytes } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { openCatalog } from '../src/index.ts'
import { openMongoCatalog } from '../src/mongodb.ts'
import { catalogContract } from './contract.ts'
import { startStandalone } from './standalone.ts'

const url = process.env['SOCKLET_TEST_MONGODB_URL'] ?? ''

if (url === '') {
  // oxlint-disable-next-line no-console -- Who runs the tests has to know that something was left out.
  console.warn('The MongoDB catalog is NOT tested: set SOCKLET_TEST_MONGODB_URL to a replica set to test it.')
  describe.skip('the catalog in MongoDB (left out: SOCKLET_TEST_MONGODB_URL is not set)', () => {
    it('follows the contract', () => {})
  })
} else {
  catalogContract('MongoDB', async () => {
    const name = `socklet-test-${randomBytes(6).toString('hex')}`
    const withName = url.replace(/^([^/]+\/\/[^/?]+)\/?[^?]*/, `$1/${name}`)
    const catalog = await openMongoCatalog(withName)
    return {
      catalog,
      another: () => openMongoCatalog(withName),
      async forgetSecret(appid) {
        const client = new MongoClient(url)
        await client.db(name).collection('apps').updateOne({ appid }, { $unset: { secret: '' } })
        await client.close()
      },
      async cleanup() {
        await catalog.close()
        const client = new MongoClient(url)
        await client.db(name).dropDatabase()
        await client.close()
      }
    }
  })
}

describe('a MongoDB that cannot be used', () => {
  it('is refused within seconds when it cannot be reached, without telling the password', async () => {
    const started = Date.now()
    // Nothing listens on port 1.
    const opening = openCatalog({ 'mongodb-url': 'mongodb://user:secret-word@127.0.0.1:1/' })
    await expect(opening).rejects.toThrow(/cannot use MongoDB at 127\.0\.0\.1:1 for the catalog: .*ECONNREFUSED/)
    await expect(opening).rejects.not.toThrow(/secret-word/)
    expect(Date.now() - started).toBeLessThan(10_000)
  })

  it('is refused when it knows no transactions', async () => {
    const server = await startStandalone()
    try {
      await expect(openCatalog({ 'mongodb-url': server.url })).rejects.toThrow(/cannot use MongoDB at .*no member of a replica set.*--replSet/)
    } finally {
      server.close()
    }
  })

  it('is refused when the URL is none', async () => {
    await expect(openCatalog({ 'mongodb-url': 'localhost' })).rejects.toThrow(/cannot use MongoDB.*SOCKLET_MONGODB_URL.*mongodb/)
    const withPassword = openCatalog({ 'mongodb-url': 'mongodb://user:secret-word@/' })
    await expect(withPassword).rejects.toThrow(/cannot use MongoDB.*SOCKLET_MONGODB_URL/)
    await expect(withPassword).rejects.not.toThrow(/secret-word/)
  })
})
