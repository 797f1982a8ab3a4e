/**
 * Restores an instance in place. The order is explained in docs/architecture.md: the mark first, then the safety
 * snapshot, then the restore, which removes the mark, then the marks that last.
 */

import { request } from '../../../shared/incus/routes.ts'
import { parseSnapshotName, SAFETY } from '../../../shared/incus/snapshot-name.ts'
import { subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { HOLD, PAUSING, RESTORED, RESTORING, UNDO } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { RestoreStep } from '../../../shared/relay/steps.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import {
  parseRestoring,
  type Restoring,
  renderRestoring,
  wordsOf,
} from '../../../shared/work/restore/mark.ts'
import { call } from '../call.ts'
import type { Call } from '../calls.ts'
import { isObject } from '../envelope.ts'
import { isReplica } from '../removal.ts'
import { isSource, notSource, refused } from '../rules.ts'
import type { Sighting } from '../sightings.ts'
import { expiryCall, markCall, removeCall, takeCall, where } from './requests.ts'
import { removalsAfter } from './restore-removals.ts'
import { restoreVolume } from './restore-volume.ts'
import { postponing } from './snapshots.ts'
import type { PlanStep, StepIo } from './step-io.ts'

/** A full copy on pools without cheap snapshots takes as long as it takes. In seconds. */
const DAY = 86_400
/** A safety snapshot lasts for a day at least, an hour aside that clocks may differ by. In milliseconds. */
const LEAST = 23 * 3_600_000

export const planRestore: PlanStep<RestoreStep> = async (step, io, job, watcher) => {
  const { ref } = step
  const refusal = (why: string) => err(refused(`restore ${subjectKey(ref)} to ${step.snapshot}`, why))
  if (!isSource(io.remotes, ref.remote)) return refusal(notSource(ref.remote))
  if (own(io.remotes, ref.remote)?.restores === false)
    return refusal(`"restores" is false for "${ref.remote}" in its configuration`)
  // A restore takes the mark of the pause off: what was made ready for the snapshots would stay so.
  const busy = io.busy.begin(job, subjectKey(ref), 'restores') ?? io.groups.whileTaken(ref)
  if (busy !== null) return err(busy)
  const read = await io.sightings.readAll(ref)
  if (!read.ok) return read
  const { sighting: seen, instance } = read.value
  const why = against(step, seen, io)
  if (why !== null) return refusal(why)
  if (volumeIn(ref.instance) !== null)
    return restoreVolume(step, { seen, volume: instance }, io, { job, watcher })
  const removals = step.diskOnly ? ok({}) : await removalsAfter(step, seen, io)
  if (!removals.ok) return removals
  const last = lastCall(step, removals.value)
  if (step.restored) return ok({ calls: [last] })
  const unknown = step.diskOnly ? await againstServer(ref.remote, io) : ok(null)
  if (!unknown.ok) return unknown
  if (unknown.value !== null) return refusal(unknown.value)
  const late =
    step.expiresAt === null
      ? ok([])
      : await postponing(ref, { snapshot: step.snapshot, until: new Date(step.expiresAt) }, io)
  return late.ok ? ok({ calls: [...dataCalls(step, late.value, io), last] }) : late
}

/** A server that doesn't know it restores the settings as well, and says nothing. */
async function againstServer(
  remote: string,
  { upstream }: StepIo,
): Promise<Result<string | null, CallError>> {
  const server = await call(upstream, remote, request('getServer'))
  if (!server.ok) return server
  const { metadata } = server.value.envelope
  const extensions = isObject(metadata) ? metadata.api_extensions : null
  return ok(
    Array.isArray(extensions) && extensions.includes('instance_snapshot_disk_only_restore')
      ? null
      : `"${remote}" doesn’t know how to restore the disk alone`,
  )
}

function against(step: RestoreStep, seen: Sighting, io: StepIo): string | null {
  const { safety, holds, restored } = step
  if (isReplica(step.ref, seen, io)) return 'it is a copy, and the next refresh would overwrite it'
  const stranger = Object.keys(holds).find(
    (key) => !key.startsWith(HOLD) && !key.startsWith(UNDO) && key !== RESTORED,
  )
  if (stranger !== undefined) return `${stranger} is no mark that a restore sets again`
  if (parseSnapshotName(safety.name)?.policy !== SAFETY)
    return `${safety.name} isn’t the name of a snapshot taken before a restore`
  if (restored) return null
  if (safety.expiresAt !== null && Date.parse(safety.expiresAt) - io.clock.now() < LEAST)
    return `${safety.name} would expire within a day`
  const isVolume = volumeIn(step.ref.instance) !== null
  const lost = isVolume
    ? undefined
    : seen.own.find(
        (key) => key.startsWith(HOLD) && isHold(own(seen.config, key)) && !isHold(own(holds, key)),
      )
  if (lost !== undefined) return `${lost.slice(HOLD.length)} was held meanwhile: request the restore again`
  return againstSafety(step, markOn(seen, step, io))
}

const isHold = (note: string | undefined): boolean => note !== undefined && note !== '' && note !== 'false'

/** The mark of this relay on it; null: there is none. */
function markOn({ own: keys, config }: Sighting, { ref }: RestoreStep, { seal }: StepIo): Restoring | null {
  const text = keys.includes(RESTORING) ? (config[RESTORING] ?? '') : ''
  return seal.isOn(ref, text) ? parseRestoring(text) : null
}

/** Only the relay's own mark proves that it has taken the safety snapshot, or may have left a partial one. */
function againstSafety(
  { snapshot, safety, stateful, diskOnly, partial }: RestoreStep,
  mark: Restoring | null,
): string | null {
  if (safety.taken && (mark?.taken !== true || mark.safety !== safety.name || mark.snapshot !== snapshot))
    return `its ${RESTORING} doesn’t say that ${safety.name} is complete`
  if (safety.taken && stateful && mark?.stateful !== true)
    return `its ${RESTORING} doesn’t say that its memory is restored`
  if (safety.taken && diskOnly !== mark?.diskOnly)
    return `its ${RESTORING} says otherwise whether its settings are restored`
  if (partial !== null && (mark?.taken !== false || mark.safety !== partial))
    return `its ${RESTORING} doesn’t say that ${partial} may be partial`
  return null
}

/** `late`: what makes the snapshot end later. */
function dataCalls(step: RestoreStep, late: readonly Call[], { seal }: StepIo): Call[] {
  const { ref, snapshot, safety, running, stateful, diskOnly, held, partial } = step
  const how = { stateful, ...(diskOnly ? { diskOnly } : {}) }
  const { parameters, query } = where(ref)
  const mark = (taken: boolean): Call =>
    markCall(ref, {
      [RESTORING]: seal.put(
        ref,
        renderRestoring({ snapshot, safety: safety.name, running, ...how, taken, writing: false, users: [] }),
      ),
    })
  const take = [
    ...(partial === null ? [] : [removeCall(ref, partial)]),
    mark(false),
    takeCall(ref, { name: safety.name, stateful: false, expiresAt: safety.expiresAt }, DAY),
  ]
  const restore: Call = {
    remote: ref.remote,
    wait: DAY,
    ...request('restoreInstance', parameters, query, {
      ...{ restore: snapshot, stateful },
      ...(diskOnly ? { disk_only: true } : {}),
    }),
  }
  return [
    ...held.map((name) => expiryCall(ref, name, null)),
    ...late,
    ...(safety.taken ? [] : take),
    mark(true),
    restore,
  ]
}

/**
 * The snapshot's config lacks what was marked since; and a safety snapshot's has the mark of its own restore. Where the settings
 * stay, so do the marks.
 */
const lastCall = ({ ref, safety, holds, diskOnly }: RestoreStep, removals: Record<string, string>): Call =>
  markCall(ref, {
    // It was taken while the instance stood still.
    ...(diskOnly ? {} : { ...holds, ...removals, [PAUSING]: '' }),
    [RESTORING]: '',
    [RESTORED]: [safety.name, ...wordsOf(holds[RESTORED])].join(' '),
  })
