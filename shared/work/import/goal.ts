/** Which export a request is about, and where the new instance or volume comes to. */
import { type CopyGiven, refuseGiven } from '../../incus/given.ts'
import { type InstanceRef, instanceOf, nounOf, subjectKey } from '../../incus/subject.ts'
import { findSubject } from '../../plan/find.ts'
import type { Refusal } from '../../plan/plan.ts'
import { storesIn, type World } from '../../plan/world.ts'
import { ok, type Result } from '../../result.ts'
import type { Secret } from '../../secret.ts'
import { calledIn } from '../goal.ts'
import type { ImportRequest } from './action.ts'

export type Goal = {
  of: InstanceRef
  store: string
  /** Null: the newest one. */
  name: string | null
  to: InstanceRef
  start: boolean
  pool: string | null
  given?: CopyGiven
  key: Secret | null
}

export function goalOf(request: ImportRequest, world: World): Result<Goal, Refusal> {
  const exported = exportedBy(request.instance, world)
  if (!exported.ok) return exported
  const of = exported.value
  const { from: store, export: name = null, as, remote, project, pool } = request
  const isInstance = nounOf(of) === 'instance'
  return ok({
    ...{ of, store, name },
    to: {
      ...{ remote: remote ?? of.remote, project: project ?? of.project },
      instance: calledIn(of, as, pool),
    },
    // A volume's is in its name, or a bucket's, and nothing of it runs.
    pool: isInstance ? (pool ?? null) : null,
    start: isInstance && request.start === true,
    ...(request.given === undefined ? {} : { given: request.given }),
    key: request.key ?? null,
  })
}

/** What is exported of the one becomes no other, and a volume has no config, devices and profiles to be given. */
export function refuseKind({ of, to, given }: Pick<Goal, 'of' | 'to' | 'given'>): Refusal | null {
  if (given !== undefined && nounOf(to) === 'volume')
    return {
      code: 'forbidden',
      reason: `${subjectKey(to)} is a custom volume, which is given no config, devices or profiles`,
    }
  const why = given === undefined ? null : refuseGiven(given)
  if (why !== null) return { code: 'forbidden', reason: why }
  return nounOf(of) === nounOf(to)
    ? null
    : { code: 'forbidden', reason: `what was exported of ${subjectKey(of)} becomes no ${nounOf(to)}` }
}

/** One that is gone, or on a server that is gone, by `remote/project/instance`. */
function exportedBy(path: string, world: World): Result<InstanceRef, Refusal> {
  const found = findSubject(world, path)
  if (found.ok) return ok(found.value.ref)
  const parts = path.split('/')
  if (parts.length === 3 && parts.every((part) => part !== '')) return ok(instanceOf(path))
  const { code, reason } = found.error
  return code === 'not-found'
    ? {
        ok: false,
        error: { code, reason: `${reason}; of one that is gone, write remote/project/instance` },
      }
    : found
}

export function refuseStore({ from: store }: ImportRequest, world: World): Refusal | null {
  const stores = storesIn(world)
  if (stores.includes(store)) return null
  const which = stores.length === 0 ? 'it has none' : `it has ${stores.join(', ')}`
  return {
    code: 'not-found',
    reason: `the relay has no store "${store}"; ${which}: see "exports" in its configuration`,
  }
}
