/** Finds the one instance, volume or snapshot that a request names. */

import type { InstanceRecord } from '../incus/inventory.ts'
import { bucketIn, type InstanceRef, instanceOf, subjectKey } from '../incus/subject.ts'
import { own } from '../own.ts'
import { compilePaths } from '../policy/glob.ts'
import { REPLICA_OF } from '../policy/marks.ts'
import { nearest } from '../policy/nearest.ts'
import { err, ok, type Result } from '../result.ts'
import type { Refusal } from './plan.ts'
import type { World } from './world.ts'

export type Found = { ref: InstanceRef; key: string; record: InstanceRecord; snapshots: [string, number][] }

/**
 * An instance, a custom volume or a bucket, by `name`, `project/name` or `remote/project/name`; a volume's name is
 * `pool:volume`, a bucket's `pool::bucket`.
 * Copies made by stapes are never matched.
 */
export function findSubject(world: World, path: string): Result<Found, Refusal> {
  const named = compilePaths([path])
  const all = instancesIn(world)
  const here = all.filter(({ ref }) => named([ref.remote, ref.project, ref.instance]))
  const found = here.filter(({ record }) => !isCopy(record))
  const [one, other] = found
  if (one === undefined && here[0] !== undefined) {
    const of = here[0].record.config[REPLICA_OF]
    return refuse('not-ours', `${here[0].key} is the copy of ${of} and follows it: name the source instead`)
  }
  if (one === undefined) return notFound(world, path, all)
  if (other !== undefined) {
    const keys = found.map(({ key }) => key).join(', ')
    return refuse('ambiguous', `"${path}" may mean ${keys}: write it as remote/project/instance`)
  }
  const { snapshots, problem } = one.record
  if (snapshots !== null) return ok({ ...one, snapshots })
  return refuse(
    'unreadable',
    `${one.key}: ${problem ?? 'its snapshots could not be listed'}; try again when it can be read`,
  )
}

/** Also of one that is gone, or whose server gives no answer, by `remote/project/instance`, or with a volume's name. */
export function refOf(world: World, path: string): Result<InstanceRef, Refusal> {
  const found = findSubject(world, path)
  if (found.ok) return ok(found.value.ref)
  const parts = path.split('/')
  const isWhole = parts.length === 3 && parts.every((part) => part !== '')
  return isWhole && own(world.remotes, parts[0] ?? '') !== undefined ? ok(instanceOf(path)) : found
}

/** Why there is no such snapshot, or null when there is. */
export function missing({ key, snapshots }: Found, snapshot: string): Refusal | null {
  const names = snapshots.map(([name]) => name)
  if (names.includes(snapshot)) return null
  const reason = `${key} has no snapshot "${snapshot}"${didYouMean(snapshot, names)}`
  return { code: 'not-found', reason }
}

export const didYouMean = (word: string, known: readonly string[]): string => {
  const meant = nearest(word, known)
  return meant === null ? '' : `; did you mean "${meant}"?`
}

/** As many of the last segments as the given path has. */
export const pathsLike = (path: string, keys: readonly string[]): string[] =>
  keys.map((key) => key.split('/').slice(-path.split('/').length).join('/'))

/** Remotes that gave no answer, each with the reason. */
export const unreadableIn = ({ remotes }: World): string[] =>
  Object.entries(remotes).flatMap(([name, reply]) => (reply.ok ? [] : [`${name}: ${reply.error.message}`]))

export const refuse = (code: Refusal['code'], reason: string): { ok: false; error: Refusal } =>
  err({ code, reason })

export const isCopy = ({ config, own }: InstanceRecord): boolean =>
  own.includes(REPLICA_OF) && (config[REPLICA_OF] ?? '') !== ''

export const instancesIn = ({ remotes }: World): Omit<Found, 'snapshots'>[] =>
  Object.entries(remotes).flatMap(([remote, reply]) =>
    reply.ok
      ? [...reply.inventory.instances, ...(reply.inventory.buckets ?? [])].map((record) => {
          const ref = { remote, project: record.project, instance: record.name }
          return { ref, key: subjectKey(ref), record }
        })
      : [],
  )

function notFound(world: World, path: string, all: readonly { key: string }[]): Result<never, Refusal> {
  const [unreadable] = unreadableIn(world)
  if (unreadable !== undefined)
    return refuse(
      'unreadable',
      `"${path}" was not found, but not every remote could be queried: ${unreadable}`,
    )
  const known = pathsLike(
    path,
    all.map(({ key }) => key),
  )
  const isBucket = bucketIn(path.split('/').at(-1) ?? '') !== null
  const hidden = isBucket ? HIDDEN : ''
  return refuse(
    'not-found',
    `there is no ${isBucket ? 'bucket' : 'instance'} "${path}"${didYouMean(path, known)}${hidden}`,
  )
}

/** Incus leaves out of its lists what somebody may not see. */
const HIDDEN =
  '; under a scriptlet the relay sees buckets only if that was printed "--with buckets", and everywhere only if a policy’s "select.buckets" covers any'
