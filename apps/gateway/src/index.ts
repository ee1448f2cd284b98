export { createGateway, type GatewayHandle } from './gateway.ts'
export type { Settings, Times } from './settings.ts'
export type { WorkerHello } from './worker-links.ts'
