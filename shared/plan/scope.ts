/** Refuses a request that names policies or instances which don't exist. */
import { pathOf } from '../incus/subject.ts'
import { exportedBy, isBucket } from '../policy/buckets.ts'
import type { Coverage } from '../policy/cover.ts'
import { compilePaths, isLiteral } from '../policy/glob.ts'
import { didYouMean, instancesIn, pathsLike, unreadableIn } from './find.ts'
import type { Refusal } from './plan.ts'
import { type AnyRequest, narrow, type Scope } from './request.ts'
import type { World } from './world.ts'

export function refuseScope(
  request: AnyRequest & Scope,
  coverages: readonly Coverage[],
  world: World,
): Refusal | null {
  const known = coverages.map(({ policy }) => policy.name)
  const unknown = request.policies?.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const reason = `there is no policy "${unknown}"${didYouMean(unknown, known)}; there are: ${known.join(', ')}`
    return { code: 'not-found', reason }
  }
  const covered = narrow(coverages, { ...request, instances: undefined }).flatMap((coverage) =>
    ON_BUCKETS.includes(request.do) ? exportedBy(coverage) : coverage.covered,
  )
  const absent = (request.instances ?? []).find((path) => {
    const named = compilePaths([path])
    return !covered.some(({ ref }) => named([ref.remote, ref.project, ref.instance]))
  })
  return absent === undefined ? null : refuseInstance(absent, coverages, world)
}

/** Requests that are also about exports; all others are about snapshots. */
const ON_BUCKETS: readonly string[] = ['look', 'allow']

function refuseInstance(path: string, coverages: readonly Coverage[], world: World): Refusal {
  const named = compilePaths([path])
  const isNamed = (key: string): boolean => named(pathOf(key))
  const skipped = coverages.flatMap((coverage) => coverage.skipped).find(({ key }) => isNamed(key))
  if (skipped !== undefined) {
    const reason = `${skipped.key} is left out: ${skipped.reason}`
    return { code: 'not-found', reason }
  }
  const there = instancesIn(world).find(({ key }) => isNamed(key))
  if (there !== undefined && isBucket(there.record))
    return {
      code: 'not-found',
      reason: `${there.key} is a bucket, which has no snapshots: it is only exported (/backup export)`,
    }
  if (there !== undefined)
    return { code: 'not-found', reason: `none of the requested policies covers ${there.key}` }
  const [unreadable] = unreadableIn(world)
  if (unreadable !== undefined) {
    const reason = `"${path}" was not found, but not every remote could be queried: ${unreadable}`
    return { code: 'unreadable', reason }
  }
  const keys = coverages.flatMap(({ covered }) => covered.map(({ key }) => key))
  const hint = isLiteral(path) ? didYouMean(path, pathsLike(path, keys)) : ''
  return { code: 'not-found', reason: `no instance matches "${path}"${hint}` }
}
