import type { Row } from '../row.ts'
import { closeRows } from './close.ts'
import { emitterRows } from './emitter.ts'
import { eventTargetRows } from './event-target.ts'
import { moduleRows } from './module.ts'
import { pingRows } from './ping.ts'
import { sendRows } from './send.ts'
import { stateRows } from './state.ts'
import { streamRows } from './stream.ts'

export const rows: Row[] = [...sendRows, ...closeRows, ...pingRows, ...stateRows, ...emitterRows, ...eventTargetRows, ...streamRows, ...moduleRows]
