import type { Attack } from './attack.ts'
import { bombs } from './bombs.ts'
import { connections } from './connections.ts'
import { endlessHandshakes } from './endless-handshakes.ts'
import { flood } from './flood.ts'
import { fragments } from './fragments.ts'
import { headers } from './headers.ts'
import { nothing } from './nothing.ts'
import { slowReaders } from './slow-readers.ts'
import { tenants } from './tenants.ts'
import { tooLarge } from './too-large.ts'

export const attacks: Attack[] = [nothing, slowReaders, flood, tooLarge, connections, endlessHandshakes, headers, fragments, bombs, ...tenants]
