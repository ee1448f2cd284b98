import type { Catalog, FunctionInfo } from '@socklet/catalog'
import { UserFault } from '../errors.ts'
import type { Compiled, Compiler } from './compiler.ts'

/** What a publish has to know of the functions beside those that it brings. */
export interface Shape {
  imports: readonly string[]
  /** Bytes that the compiled code takes in a frame to a worker. */
  wireBytes: number
}

const MAX_REMEMBERED = 10_000
const PAGE = 500

export function shapeOf({ code, imports }: Compiled): Shape {
  return { imports, wireBytes: Buffer.byteLength(JSON.stringify(code)) }
}

/** Shapes of published functions. They are remembered by the hash of the source, because to find one its code has to be read and compiled. */
export class Shapes {
  readonly #catalog: Catalog
  readonly #compiler: Compiler
  readonly #known = new Map<string, Shape>()

  constructor(catalog: Catalog, compiler: Compiler) {
    this.#catalog = catalog
    this.#compiler = compiler
  }

  remember(hash: string, shape: Shape): void {
    this.#known.delete(hash)
    this.#known.set(hash, shape)
    if (this.#known.size > MAX_REMEMBERED) this.#known.delete(this.#known.keys().next().value!)
  }

  /** All functions of the app as they are published, by name. */
  async ofApp(appid: string): Promise<Map<string, Shape>> {
    const shapes = new Map<string, Shape>()
    for (const info of await allFunctions(this.#catalog, appid)) shapes.set(info.name, await this.#of(appid, info))
    return shapes
  }

  async #of(appid: string, { name, hash }: FunctionInfo): Promise<Shape> {
    const known = this.#known.get(hash)
    if (known !== undefined) return known
    const { code, compiled } = await this.#catalog.getFunction(appid, name)
    const { imports } = await this.#compiler.compile(name, code).catch(noImports)
    const shape = shapeOf({ code: compiled, imports })
    this.remember(hash, shape)
    return shape
  }
}

/** A source that has compiled once, and does no more, keeps nobody from publishing another. */
function noImports(error: unknown): { imports: string[] } {
  if (error instanceof UserFault) return { imports: [] }
  throw error
}

/** Every function of the app, however many pages that takes. */
export async function allFunctions(catalog: Catalog, appid: string): Promise<FunctionInfo[]> {
  const all: FunctionInfo[] = []
  let cursor: string | undefined
  do {
    const page = await catalog.listFunctions(appid, { limit: PAGE, cursor })
    all.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return all
}
