import { appRoutes } from './apps.ts'
import { connectionRoutes } from './connections.ts'
import { envRoutes } from './env.ts'
import { functionRoutes } from './functions.ts'
import { logRoutes } from './logs.ts'
import { platformRoutes } from './platform.ts'
import type { Route } from './route.ts'
import { sharedRoutes } from './shared.ts'
import { statsRoutes } from './stats.ts'
import { tokenRoutes } from './tokens.ts'

/** Everything that the admin REST can do, in the order in which a request is matched. */
export const ROUTES: readonly Route[] = [...appRoutes, ...functionRoutes, ...envRoutes, ...logRoutes, ...connectionRoutes, ...sharedRoutes, ...statsRoutes, ...tokenRoutes, ...platformRoutes]
