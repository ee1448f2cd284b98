/** `FunctionContext` is there without an import, as in laf. */
import type { FunctionContext as Context } from './index.d.ts'

declare global {
  type FunctionContext = Context
}
