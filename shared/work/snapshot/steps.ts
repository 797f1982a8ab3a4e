/** A snapshot's steps in the job of its instance. */
import { request } from '../../incus/routes.ts'
import { NEVER } from '../../incus/source.ts'
import { expireStep, STEP_WAIT, where } from '../../plan/steps.ts'
import type { Step } from '../../relay/protocol.ts'
import type { SnapshotAction } from './action.ts'

/**
 * A daemon killed during a create leaves a partial snapshot that looks complete, so one with an unknown
 * outcome is removed first.
 */
export function takeSteps({ ref, name, stateful, expiresAt, again }: SnapshotAction): Step[] {
  const { parameters, query } = where(ref)
  const body = { name, stateful, expires_at: expiresAt ?? NEVER }
  const take = { remote: ref.remote, wait: STEP_WAIT, ...request('createSnapshot', parameters, query, body) }
  return again ? [expireStep({ ref, snapshot: name }), take] : [take]
}
