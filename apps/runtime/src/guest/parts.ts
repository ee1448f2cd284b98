import type { PlatformModules, Program } from './modules.ts'
import type { Sockets } from './sockets.ts'

/** What those who handle events need of the guest as a whole. */
export interface DispatcherParts {
  /** The release that is in force. */
  program: () => Program
  platform: PlatformModules
  sockets: Sockets
  handlerMs: () => number
}
