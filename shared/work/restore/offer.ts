/** What a copy on a backup server still has, where a restore in place has nothing to restore. */
import type { InstanceRef } from '../../incus/subject.ts'
import { type CopyOf, copiesOf } from '../../plan/copies-of.ts'
import { findSubject, missing } from '../../plan/find.ts'
import type { Refusal } from '../../plan/plan.ts'
import type { Requested } from '../kind.ts'
import type { RestoreRequest } from './action.ts'

/** The refusal, with the command that helps, where a copy has the snapshot. */
export function offerCopy(refusal: Refusal, requested: Requested<RestoreRequest>): Refusal {
  const { instance, snapshot } = requested.request
  if (refusal.code !== 'not-found' && refusal.code !== 'not-ours') return refusal
  const found = findSubject(requested.world, instance)
  const path = found.ok ? found.value.key : instance
  const [copy] = copiesOf(path, requested).filter(({ verified }) =>
    verified.some(([name]) => name === snapshot),
  )
  if (copy === undefined) return refusal
  return found.ok && missing(found.value, snapshot) !== null
    ? {
        code: 'not-found',
        reason: `${found.value.key} has no snapshot "${snapshot}" any more, but that is ${verifiedAt(copy)}: ${cloneOf(copy, snapshot)} makes a new instance from it, beside this one`,
      }
    : {
        code: 'not-found',
        reason: `${copy.of} is gone, but ${snapshot} is ${verifiedAt(copy)}: /backup bring-back ${copy.of} brings it back with all that is verified there; ${cloneOf(copy, snapshot)} makes a new instance from this snapshot alone`,
      }
}

const verifiedAt = ({ ref }: { ref: InstanceRef }): string => `verified on its copy on ${ref.remote}`

const cloneOf = ({ of, ref }: CopyOf, snapshot: string): string =>
  `/backup clone ${of} ${snapshot} --as=${ref.instance}-restored --from=${ref.remote}`
