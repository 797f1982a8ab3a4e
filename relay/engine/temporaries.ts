/**
 * Instances that only live while a snapshot is exported: made from that, stopped, and removed afterwards. Those that a killed
 * relay has left are found by their name and their sealed mark, and removed at the next look.
 */
import type { RemoteInventory } from '../../shared/incus/inventory.ts'
import { request } from '../../shared/incus/routes.ts'
import { type InstanceRef, subjectKey } from '../../shared/incus/subject.ts'
import { EXPORTING } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { call } from './call.ts'
import { type CallIo, runCalls } from './call-list.ts'
import { isObject } from './envelope.ts'
import type { Seal } from './seal.ts'
import { STEP_WAIT, where } from './steps/requests.ts'
import { isTemporary, isTemporaryName } from './temporary.ts'

export type Temporaries = {
  /** An export works with it from now on. */
  begin(ref: InstanceRef): void
  end(ref: InstanceRef): void
  /** The inventory without them. Those that no export works with go, unless an operation runs on them. */
  sweep(remote: string, inventory: RemoteInventory): RemoteInventory
}

export function createTemporaries(seal: Seal, remove: (ref: InstanceRef) => Promise<unknown>): Temporaries {
  const used = new Set<string>()
  return {
    begin: (ref) => void used.add(subjectKey(ref)),
    end: (ref) => void used.delete(subjectKey(ref)),
    sweep(remote, inventory) {
      const { instances, operations } = inventory
      if (!instances.some(({ name }) => isTemporaryName(name))) return inventory
      const kept = instances.filter((record) => {
        const ref = { remote, project: record.project, instance: record.name }
        if (!record.own.includes(EXPORTING) || !isTemporary(ref, record.config, seal)) return true
        const isBusy = operations.some(
          (one) => one.project === ref.project && one.instances.includes(ref.instance),
        )
        if (!isBusy && !used.has(subjectKey(ref))) void remove(ref).catch(() => {})
        return false
      })
      return { ...inventory, instances: kept }
    },
  }
}

/** One that isn't there is gone; one of that name that this relay did not make stays, and is an error. */
export async function removeTemporary(ref: InstanceRef, io: CallIo): Promise<Result<null, CallError>> {
  const { parameters, query } = where(ref)
  const seen = await call(io.upstream, ref.remote, request('getInstance', parameters, query))
  if (!seen.ok) return seen.error.status === 404 ? ok(null) : seen
  const { metadata } = seen.value.envelope
  const config = isObject(metadata) && isObject(metadata.config) ? metadata.config : {}
  if (!isTemporary(ref, config, io.seal))
    return err({
      code: 'export',
      message: `there is an instance ${ref.instance} that this relay did not make: rename or delete it`,
    })
  const removal = { remote: ref.remote, wait: STEP_WAIT, tolerate: [404] }
  const ran = await runCalls([{ ...removal, ...request('deleteInstance', parameters, query) }], io, {
    urgent: true,
  })
  return ran.ok ? ok(null) : ran
}
