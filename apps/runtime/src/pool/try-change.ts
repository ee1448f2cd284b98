import type { Catalog, Release } from '@socklet/catalog'
import { CallError, type AppRelease, type LoadProblem, type TrialChange } from '@socklet/protocol'
import { appRelease } from './app.ts'
import type { Trials } from './trials.ts'

/**
 * What keeps a change from being stored. A function of the change has to load. Another one, which the change may have
 * broken, only if it does as things are now: what is broken already keeps nobody from publishing.
 * @throws CallError `app_not_found`, `busy`, `unavailable`
 */
export async function tryChange({ catalog, trials }: { catalog: Catalog; trials: Trials }, change: TrialChange): Promise<LoadProblem[]> {
  const now = await catalog.release(change.appid)
  if (now === null) throw new CallError('app_not_found', `there is no app ${JSON.stringify(change.appid)}`)
  const after = changed(now, change)
  const put = new Set(change.put.map(({ name }) => name))
  const others = change.env === undefined ? change.dependents : after.functions.map(({ name }) => name)
  const problems = await trials.run(after, [...put, ...others.filter((name) => !put.has(name) && has(after, name))])
  const broken = problems.map((problem) => problem.function).filter((name) => !put.has(name))
  if (broken.length === 0) return problems
  const before = new Set((await trials.run(appRelease(now), broken)).map((problem) => problem.function))
  return problems.filter((problem) => !before.has(problem.function))
}

function changed(now: Release, { put, remove, prune, env }: TrialChange): AppRelease {
  const versions = new Map(now.functions.map(({ name, version }) => [name, version]))
  const gone = new Set([...remove, ...put.map(({ name }) => name)])
  const kept = prune ? [] : now.functions.filter(({ name }) => !gone.has(name))
  const functions = put.map(({ name, code }) => ({ name, compiled: code, version: (versions.get(name) ?? 0) + 1 }))
  return appRelease({ ...now, functions: [...kept, ...functions], ...(env === undefined ? {} : { env }) })
}

function has(release: AppRelease, wanted: string): boolean {
  return release.functions.some(({ name }) => name === wanted)
}
