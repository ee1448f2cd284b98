import type { Row } from '../row.ts'
import { apps } from './apps.ts'
import { broadcast } from './broadcast.ts'
import { chat } from './chat.ts'
import { churn } from './churn.ts'
import { echoRows } from './echo.ts'
import { entries } from './entries.ts'
import { floor } from './floor.ts'
import { first } from './first.ts'
import { latency } from './latency.ts'
import { many } from './many.ts'
import { memory } from './memory.ts'
import { hostile, neighbour, neighbourRows } from './neighbour.ts'
import { publish } from './publish.ts'
import { rate } from './rate.ts'
import { recovery } from './recovery.ts'
import { sleepers } from './sleepers.ts'
import { sleeping } from './sleeping.ts'
import { wake } from './wake.ts'

/** All benchmarks, in the order of the table. */
export const rows: Row[] = [...echoRows, latency, rate, chat, broadcast, churn, memory, many, apps, floor, first, wake, sleepers, sleeping, entries, publish, recovery, hostile, neighbour]

/** Parts of the above, which are only run when they are named. */
export const parts: Row[] = neighbourRows
