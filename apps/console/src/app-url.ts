import { WEBSOCKET_FUNCTION, type Options } from '@socklet/config'

/** Where clients reach an app: by host if the platform has a domain of its own, by path on this machine. */
export function appUrls({ domain, host, port }: Pick<Options, 'domain' | 'host' | 'port'>): (appid: string) => string | undefined {
  if (domain !== 'localhost') return (appid) => `wss://${appid}.${domain}/${WEBSOCKET_FUNCTION}`
  // A port that was picked is known to the gateway only.
  if (port === 0) return () => undefined
  const name = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host
  const authority = name.includes(':') ? `[${name}]` : name
  return (appid) => `ws://${authority}:${port}/${appid}/${WEBSOCKET_FUNCTION}`
}
