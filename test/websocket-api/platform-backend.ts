import { startPlatform } from '../support/platform.ts'
import type { Backend } from './backend.ts'

/** Functions on the platform: one platform for all, an app for each. */
export async function startSocklet(): Promise<Backend> {
  const platform = await startPlatform()
  let apps = 0
  return {
    name: 'socklet',
    run: async (source) => {
      const appid = `row-${++apps}`
      await platform.app(appid, { __websocket__: source })
      return {
        url: platform.url(appid),
        logs: async () => (await platform.admin('GET', `/apps/${appid}/logs?limit=100`)).json.items.map((item: { message: string }) => item.message),
        stop: async () => void (await platform.admin('DELETE', `/apps/${appid}`))
      }
    },
    close: () => platform.close()
  }
}
