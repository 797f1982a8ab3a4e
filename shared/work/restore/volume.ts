/** What is said of the restore of a custom volume, and of the instances that were stopped for it. */
import type { InstanceRecord } from '../../incus/inventory.ts'
import type { InstanceRef } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import type { World } from '../../plan/world.ts'
import { incusCommand } from '../../shell.ts'
import type { UndoAction } from './action.ts'
import type { RestoreWork } from './entry.ts'
import type { Restoring } from './mark.ts'
import { wholeSafeties } from './safety.ts'

/** Those that a restore has stopped and that don't run: all that are there, or not seen. */
export function stoppedBy(ref: InstanceRef, { users }: Pick<Restoring, 'users'>, world: World): string[] {
  const reply = own(world.remotes, ref.remote)
  if (reply?.ok !== true) return [...users]
  return users.filter((instance) => world.find({ ...ref, instance })?.status === 'Stopped')
}

/** What was stopped for it, with the commands that start it. */
function startThem(ref: InstanceRef, { users = [] }: Pick<RestoreWork, 'users'>): string {
  const commands = users.map((name) => incusCommand(ref.project, 'start', name)).join('; ')
  return users.length === 0 ? '' : `what was stopped for it: ${commands}`
}

/** As of an instance, see tries.ts. */
export const VOLUME_GIVEN_UP: Record<
  'safety' | 'data' | 'marks',
  (entry: RestoreWork, ref: InstanceRef) => string
> = {
  safety: ({ snapshot, reason }) => `it was not restored to ${snapshot}, and nothing was changed: ${reason}`,
  data: (entry, ref) => {
    const { snapshot, safety, reason } = entry
    const stopped = startThem(ref, entry)
    const left = stopped === '' ? '' : `, so nothing that uses it is started (${stopped})`
    return `restoring it to ${snapshot} failed: ${reason}; its data may be partly old and partly new${left}; the previous state is in ${safety}: restore that, or ${snapshot} again`
  },
  marks: (entry, ref) => {
    const { snapshot, safety, reason } = entry
    const stopped = startThem(ref, entry)
    return `it was restored to ${snapshot}, but not all that was stopped for it runs again: ${reason}${stopped === '' ? '' : `; ${stopped}`}; the previous state is in ${safety}`
  },
}

/** It is as it was. */
export function notStartedAgain(ref: InstanceRef, entry: RestoreWork): string {
  const { snapshot, reason = `it was not restored to ${snapshot}` } = entry
  return `${reason}; and not all that was stopped for it runs again: ${startThem(ref, entry)}`
}

/** Of a volume whose data is in order: all that was stopped for it runs again, or is gone. */
export const isOver = (
  ref: InstanceRef,
  entry: RestoreWork,
  mark: Restoring,
  record: InstanceRecord,
  world: World,
): boolean =>
  record.type === 'volume' &&
  record.unsealed !== true &&
  mark.safety === entry.safety &&
  (isRestored(record, entry) || entry.refused === true) &&
  stoppedBy(ref, mark, world).length === 0

export const isRestored = (record: InstanceRecord | undefined, { safety }: RestoreWork): boolean =>
  record !== undefined && wholeSafeties(record).includes(safety)

export const endOf = (
  ref: InstanceRef,
  { safety, snapshot }: RestoreWork,
  { users }: Restoring,
): UndoAction => ({
  ...{ kind: 'undo', ref, safeties: [safety], start: false },
  reason: `what was stopped for its restore to ${snapshot} runs again: ${users.join(', ')}`,
})
