/** Steps of the relay's jobs that several kinds of work use. */

import { request } from '../incus/routes.ts'
import type { InstanceRef } from '../incus/subject.ts'
import type { Step } from '../relay/protocol.ts'

/** In seconds. If it takes longer, the next tick observes the outcome. */
export const STEP_WAIT = 600

export const where = ({ project, instance }: InstanceRef) => ({
  parameters: { instance },
  query: { project },
})

/** A snapshot that doesn't exist counts as removed. */
export function expireStep({ ref, snapshot }: { ref: InstanceRef; snapshot: string }): Step {
  const { parameters, query } = where(ref)
  return {
    remote: ref.remote,
    wait: STEP_WAIT,
    tolerate: [404],
    ...request('deleteSnapshot', { ...parameters, snapshot }, query),
  }
}

/** Sets it running again, or thaws it. */
export function startStep(ref: InstanceRef, action: 'start' | 'unfreeze'): Step {
  const { parameters, query } = where(ref)
  return { remote: ref.remote, wait: STEP_WAIT, ...request('startInstance', parameters, query, { action }) }
}

/** A snapshot that vanished meanwhile needs no expiry. */
export function setExpiry(ref: InstanceRef, snapshot: string, expiresAt: string): Step {
  const { parameters, query } = where(ref)
  const call = request('patchSnapshot', { ...parameters, snapshot }, query, { expires_at: expiresAt })
  return { remote: ref.remote, wait: STEP_WAIT, tolerate: [404], ...call }
}

export function markStep(ref: InstanceRef, config: Record<string, string>): Step {
  const { parameters, query } = where(ref)
  return { remote: ref.remote, ...request('markInstance', parameters, query, { config }) }
}
