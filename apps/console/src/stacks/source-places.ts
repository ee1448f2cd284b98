import { SourceMap } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { FUNCTION_HEAD } from '@socklet/protocol'
import { UserFault } from '../errors.ts'
import { log } from '../log.ts'
import type { Compiler } from '../publish/compiler.ts'
import { Serial } from '../publish/serial.ts'
import { placesIn, replacePlaces, withoutGuest, type Place } from './frames.ts'

/** One version of a function. */
export interface Source {
  /** Unlike that of any other source. */
  hash: string
  load: () => Promise<{ code: string; compiled: string }>
}

type Origin = Omit<Place, 'function'>

/** Places that are remembered: a stack that is read once is often read again. */
const MAX_KNOWN = 20_000
/** Sources that are compiled for one call; what is in others stays as it is. */
const MAX_SOURCES = 20
/** Calls that wait to have a source compiled. */
const MAX_WAITING = 100
/** Characters. A map of more takes a tenth of a second to read, and nobody reads such a source. */
const MAX_LENGTH = 2 * 1024 * 1024

/**
 * Says of places in compiled code where they are in the source. No maps are kept, neither with the versions nor here: what is asked for is
 * compiled again, one at a time, which takes milliseconds, and the answers are remembered.
 */
export class SourcePlaces {
  readonly #compiler: Compiler
  readonly #known = new Map<string, Origin | undefined>()
  readonly #lane = new Serial(MAX_WAITING)

  constructor(compiler: Compiler) {
    this.#compiler = compiler
  }

  /**
   * The texts with the places of their stacks as they are in the sources, and without frames of our own code. `find` says which version
   * a function's name means in a text. What cannot be found, or not within so many milliseconds, stays as it is.
   */
  async translate(texts: string[], patienceMs: number, find: (name: string, text: number) => Promise<Source | null>): Promise<string[]> {
    const places = texts.map(placesIn)
    const hashes = texts.map(() => new Map<string, string>())
    if (places.some(({ length }) => length > 0)) {
      const over = new AbortController()
      const found = this.#findAll(places, hashes, find)
        .catch((error: unknown) => (error instanceof UserFault ? undefined : log('finding the places of stacks', error)))
        .finally(() => over.abort())
      await Promise.race([found, sleep(patienceMs, undefined, { signal: over.signal, ref: false }).catch(() => {})])
    }
    return texts.map((text, index) => replacePlaces(withoutGuest(text), (place) => this.#known.get(keyOf(hashes[index]!.get(place.function), place))))
  }

  async #findAll(places: Place[][], hashes: Map<string, string>[], find: (name: string, text: number) => Promise<Source | null>): Promise<void> {
    const unknown = new Map<string, { source: Source; places: Place[] }>()
    for (const [index, ofText] of places.entries()) {
      for (const place of ofText) {
        const source = await find(place.function, index)
        if (source === null) continue
        hashes[index]!.set(place.function, source.hash)
        if (this.#known.has(keyOf(source.hash, place))) continue
        const wanted = unknown.get(source.hash)
        if (wanted !== undefined) wanted.places.push(place)
        else if (unknown.size < MAX_SOURCES) unknown.set(source.hash, { source, places: [place] })
      }
    }
    for (const { source, places: all } of unknown.values()) await this.#lane.run('', () => this.#learn(source, all))
  }

  async #learn(source: Source, places: Place[]): Promise<void> {
    // Another call may have learned them meanwhile.
    const unknown = places.filter((place) => !this.#known.has(keyOf(source.hash, place)))
    if (unknown.length === 0) return
    // What cannot be compiled now could when it was published, and is not tried for each reader.
    const map = await this.#mapOf(unknown[0]!.function, source).catch(() => null)
    for (const place of unknown) this.#remember(keyOf(source.hash, place), map === null ? undefined : originOf(map, place))
  }

  async #mapOf(name: string, source: Source): Promise<SourceMap | null> {
    const { code, compiled } = await source.load()
    if (code.length > MAX_LENGTH) return null
    const mapped = await this.#compiler.map(name, code)
    // Another version of the compiler may have compiled what runs.
    return mapped.code === compiled ? new SourceMap(JSON.parse(mapped.map)) : null
  }

  #remember(key: string, origin: Origin | undefined): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    this.#known.set(key, origin)
  }
}

function keyOf(hash: string | undefined, { line, column }: Place): string {
  return `${hash}:${line}:${column}`
}

/** undefined if nothing of the source is there, such as in what the compiler puts before it. */
function originOf(map: SourceMap, { line, column }: Place): Origin | undefined {
  const entry = map.findEntry(line - 1, column - 1 - (line === 1 ? FUNCTION_HEAD.length : 0))
  if (!('originalLine' in entry) || entry.generatedLine !== line - 1) return undefined
  return { line: entry.originalLine + 1, column: entry.originalColumn + 1 }
}
