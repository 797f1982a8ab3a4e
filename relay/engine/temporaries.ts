/**
 * Instances and volumes that only live while a snapshot is exported, or its files are read: made from that, stopped, and removed afterwards.
 * Those that a killed relay has left are found in its journal, and removed at the next look. Nothing else is, whatever it calls
 * itself.
 */
import { withAnswer } from '../../shared/answered.ts'
import type { Clock } from '../../shared/clock.ts'
import type { InstanceRecord, RemoteInventory } from '../../shared/incus/inventory.ts'
import {
  type InstanceRef,
  instanceOf,
  nounOf,
  remoteOf,
  subjectKey,
  volumeIn,
} from '../../shared/incus/subject.ts'
import { copiesUnnamed } from '../../shared/plan/operations.ts'
import { EXPORTING } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import { configCommand, deleteCommand } from '../../shared/shell.ts'
import { brokenBy, call } from './call.ts'
import { type CallIo, runCalls } from './call-list.ts'
import { isObject } from './envelope.ts'
import { writingTo } from './guard-operation.ts'
import type { Journal } from './journal.ts'
import type { Seal } from './seal.ts'
import { STEP_WAIT } from './steps/requests.ts'
import { deleteSubjectRequest, subjectRequest } from './subject-requests.ts'
import { isMarked, isTemporary, isTemporaryName, purposeOf } from './temporary.ts'

export type Temporaries = {
  /** Something works with it from now on. */
  begin(ref: InstanceRef): void
  /** Removes it. If that fails, the next look tells why, and tries again. */
  end(ref: InstanceRef): Promise<void>
  /**
   * The inventory, whose reading began then, without those that are there, and with what is to be told of them. Those that
   * nothing works with go, unless an operation runs on them.
   */
  sweep(remote: string, inventory: RemoteInventory, began: number): RemoteInventory
}

/** Milliseconds. No listing takes longer. */
const LATE = 3_600_000

export function createTemporaries(
  known: { seal: Seal; journal: Pick<Journal, 'temporaries'>; clock: Clock },
  remove: (ref: InstanceRef) => Promise<Result<null, CallError>>,
): Temporaries {
  const used = new Set<string>()
  /** Why it could not be removed, by key. */
  const failed = new Map<string, string>()
  /** When they were, by key: a listing may have begun before. */
  const removed = new Map<string, number>()
  const removeNow = async (ref: InstanceRef): Promise<void> => {
    const key = subjectKey(ref)
    used.add(key)
    const done = await remove(ref).catch((cause: unknown) => err(brokenBy(cause)))
    used.delete(key)
    if (!done.ok) return void failed.set(key, done.error.message)
    failed.delete(key)
    removed.set(key, known.clock.now())
  }
  const isOurs = (ref: InstanceRef, { own: keys, config }: InstanceRecord, began: number): boolean =>
    keys.includes(EXPORTING) &&
    (isTemporary(ref, config, known) ||
      ((removed.get(subjectKey(ref)) ?? 0) >= began && isMarked(ref, config, known.seal)))
  return {
    begin: (ref) => void used.add(subjectKey(ref)),
    async end(ref) {
      if (known.journal.temporaries().has(subjectKey(ref))) await removeNow(ref)
      else used.delete(subjectKey(ref))
    },
    sweep(remote, inventory, began) {
      for (const [key, at] of removed) if (known.clock.now() - at > LATE) removed.delete(key)
      const { instances, operations } = inventory
      const refOf = ({ project, name }: InstanceRecord): InstanceRef => ({ remote, project, instance: name })
      const named = instances.filter(({ name }) => isTemporaryName(name))
      const there = new Set(named.map((record) => subjectKey(refOf(record))))
      const told: string[] = []
      for (const [key, state] of known.journal.temporaries()) {
        if (remoteOf(key) !== remote || used.has(key)) continue
        const ref = instanceOf(key)
        const isVolume = volumeIn(ref.instance) !== null
        const isBusy = operations.some(
          (one) =>
            (one.project === ref.project && one.instances.includes(ref.instance)) ||
            // It may be that one which is made.
            (isVolume && copiesUnnamed(one)),
        )
        // Volumes are listed only if a policy covers some.
        const mayBeThere = there.has(key) || isVolume
        const why = failed.get(key)
        if (why !== undefined && mayBeThere && !isBusy) told.push(notRemoved(ref, why))
        // One that may still be made is looked for as long.
        if (!isBusy && (mayBeThere || state === 'made')) void removeNow(ref)
      }
      if (named.length === 0) return inventory
      const hidden = new Set(named.filter((record) => isOurs(refOf(record), record, began)))
      // Also of another relay, or of one whose keys were lost.
      for (const record of named)
        if (!hidden.has(record) && record.own.includes(EXPORTING)) told.push(notKnown(record))
      const kept = instances.filter((record) => !hidden.has(record))
      return { ...inventory, instances: kept, ...(told.length === 0 ? {} : { leftovers: told }) }
    },
  }
}

const notRemoved = ({ project, instance }: InstanceRef, why: string): string =>
  withAnswer(
    `${purposeOf(instance)} could not be removed; it is tried again with each look, or delete it yourself: ${deleteCommand({ project, instance })}`,
    why,
  )

function notKnown({ project, name }: InstanceRecord): string {
  const place = { project, instance: name }
  return `${project}/${name} was made for an export, or to read files, or imported from one, and this relay doesn’t know that it may go, so it stays: delete it if nobody needs it (${deleteCommand(place)}), else take its mark off (${configCommand({ remote: '', ...place }, 'unset', EXPORTING)})`
}

/** One that isn't there is gone; one of that name that this relay did not make stays, and is an error. */
export async function removeTemporary(ref: InstanceRef, io: CallIo): Promise<Result<null, CallError>> {
  const key = subjectKey(ref)
  const seen = await call(io.upstream, ref.remote, subjectRequest(ref))
  if (!seen.ok) {
    if (seen.error.status !== 404) return seen
    // One whose creation has an unknown outcome may still come.
    if (io.journal.temporaries().get(key) === 'made') io.journal.dropTemporary(key)
    return ok(null)
  }
  const { metadata } = seen.value.envelope
  const config = isObject(metadata) && isObject(metadata.config) ? metadata.config : {}
  if (!isTemporary(ref, config, io)) {
    // Somebody took its mark off, or put another in its place.
    io.journal.dropTemporary(key)
    return err({
      code: 'export',
      message: `there is ${nounOf(ref) === 'volume' ? 'a volume' : 'an instance'} ${ref.instance} that this relay did not make: rename or delete it`,
    })
  }
  // Incus locks no volume: it would go while it is made, or while Incus reads it.
  const writing = await writingTo(ref, io)
  if (writing !== null) return err(writing)
  const removal = { remote: ref.remote, wait: STEP_WAIT, tolerate: [404] }
  const ran = await runCalls([{ ...removal, ...deleteSubjectRequest(ref) }], io, { urgent: true })
  if (!ran.ok) return ran
  io.journal.dropTemporary(key)
  return ok(null)
}
