/** The requests to Incus that several steps make. */
import { request } from '../../../shared/incus/routes.ts'
import { NEVER } from '../../../shared/incus/source.ts'
import type { InstanceRef } from '../../../shared/incus/subject.ts'
import type { Call } from '../calls.ts'
import { createRequest, deleteRequest, expiryRequest, listRequest, markRequest } from '../subject-requests.ts'

/** In seconds. If it takes longer, the next tick observes the outcome. */
export const STEP_WAIT = 600

export const where = ({ project, instance }: InstanceRef) => ({
  parameters: { instance },
  query: { project },
})

/** A subject's own list of its snapshots. */
export const listOf = listRequest

/** A snapshot that doesn't exist counts as removed. */
export const removeCall = (ref: InstanceRef, snapshot: string): Call => ({
  remote: ref.remote,
  wait: STEP_WAIT,
  tolerate: [404],
  ...deleteRequest(ref, snapshot),
})

/** Sets it running again, has it stand still, or thaws it. `wait` in seconds. */
export function stateCall(ref: InstanceRef, action: 'start' | 'freeze' | 'unfreeze', wait = STEP_WAIT): Call {
  const { parameters, query } = where(ref)
  return { remote: ref.remote, wait, ...request('startInstance', parameters, query, { action }) }
}

/** Seconds that an instance has to shut down. */
const SHUTDOWN = 120

/** Shuts it down; nothing is done by force. */
export function stopCall(ref: InstanceRef): Call {
  const { parameters, query } = where(ref)
  const body = { action: 'stop', timeout: SHUTDOWN, force: false }
  return { remote: ref.remote, wait: STEP_WAIT, ...request('startInstance', parameters, query, body) }
}

/** A snapshot that vanished meanwhile needs no expiry. Null: never. `seen`: sets it only while it is that. */
export function expiryCall(
  ref: InstanceRef,
  snapshot: string,
  expiresAt: string | null,
  seen?: string,
): Call {
  const patch = expiryRequest(ref, snapshot, expiresAt ?? NEVER)
  const only = seen === undefined ? {} : { ifExpiresAt: seen }
  return { remote: ref.remote, wait: STEP_WAIT, tolerate: [404], ...only, ...patch }
}

export const markCall = (ref: InstanceRef, config: Record<string, string>): Call => ({
  remote: ref.remote,
  ...markRequest(ref, config),
})

/** `wait` in seconds. */
export function takeCall(
  ref: InstanceRef,
  { name, stateful, expiresAt }: { name: string; stateful: boolean; expiresAt: string | null },
  wait: number,
): Call {
  const body = { name, stateful, expires_at: expiresAt ?? NEVER }
  return { remote: ref.remote, wait, ...createRequest(ref, body) }
}
