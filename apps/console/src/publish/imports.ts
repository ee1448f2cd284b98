import { posix } from 'node:path'

/**
 * The function of the same app that an import means, as laf resolves it: `@/name` from the root,
 * `./x` and `../x` from the importing function. null if it means something else.
 */
export function importedFunction(from: string, specifier: string, exists: (name: string) => boolean): string | null {
  const name = functionPath(from, specifier)
  if (name === null) return null
  if (exists(name)) return name
  const bare = name.replace(/\.(?:ts|js)$/, '')
  return exists(bare) ? bare : null
}

function functionPath(from: string, specifier: string): string | null {
  if (specifier.startsWith('@/')) return posix.normalize(specifier.slice(2))
  if (specifier.startsWith('./') || specifier.startsWith('../')) return posix.join(posix.dirname(from), specifier)
  return null
}

/**
 * A circle of imports that goes through one of these functions: `['a', 'b', 'a']`. null if there is none.
 * Without recursion, because how long a chain of imports can be is the tenant's choice.
 */
export function findCycle(starts: Iterable<string>, importsOf: (name: string) => readonly string[]): string[] | null {
  const done = new Set<string>()
  for (const start of starts) {
    const cycle = walk(start, importsOf, done)
    if (cycle !== null) return cycle
  }
  return null
}

/** The functions that import one of `changed`, directly or through others, without those themselves. */
export function dependentsOf(changed: readonly string[], all: Iterable<string>, importsOf: (name: string) => readonly string[]): string[] {
  const importers = new Map<string, string[]>()
  for (const name of all) for (const imported of importsOf(name)) importers.set(imported, [...(importers.get(imported) ?? []), name])
  const found = new Set(changed)
  // A Set goes on to what is added to it meanwhile.
  for (const name of found) for (const importer of importers.get(name) ?? []) found.add(importer)
  return [...found].slice(new Set(changed).size)
}

function walk(start: string, importsOf: (name: string) => readonly string[], done: Set<string>): string[] | null {
  if (done.has(start)) return null
  const path = [{ name: start, next: 0 }]
  const onPath = new Set([start])
  while (path.length > 0) {
    const here = path.at(-1)!
    const target = importsOf(here.name)[here.next]
    here.next += 1
    if (target === undefined) {
      done.add(here.name)
      onPath.delete(here.name)
      path.pop()
    } else if (onPath.has(target)) {
      const names = path.map(({ name }) => name)
      return [...names.slice(names.indexOf(target)), target]
    } else if (!done.has(target)) {
      path.push({ name: target, next: 0 })
      onPath.add(target)
    }
  }
  return null
}
