/** Notes beside an export what somebody says of it: that it is held or released, that it goes, or that this is taken back. */
import { type InstanceRef, nounOf, subjectKey } from '../../../shared/incus/subject.ts'
import type { DropExportStep, NoteExportStep } from '../../../shared/relay/export-steps.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../../shared/result.ts'
import { type ExportNote, UNSAID } from '../../../shared/work/export/notes.ts'
import { type AskedRemoval, againstAskedRemoval, allOld, badKey, oldKey } from '../export-removal.ts'
import type { Surveyed } from '../exports.ts'
import { isHeld } from '../removal.ts'
import { refused } from '../rules.ts'
import { alone, type OfExport, removeUnless } from './remove-export.ts'
import type { Planned, PlanStep, StepIo } from './step-io.ts'

/** Milliseconds. So long the removal of the newest whole one can be taken back at least. */
const DAY = 86_400_000

const DONE: Result<Planned, CallError> = ok({ calls: [] })

export const planNoteExport: PlanStep<NoteExportStep> = (step, io, job) =>
  alone(step, io, job.id, () => note(step, io))

async function note(step: NoteExportStep, io: StepIo): Promise<Result<Planned, CallError>> {
  const { ref, store, name, note: wanted } = step
  const refusal = (why: string) =>
    err(refused(`${wanted.do} export ${name} of ${subjectKey(ref)} in "${store}"`, why))
  const found = await io.exports.survey(store, ref)
  if (!found.ok) return found
  const one = found.value.exports.find(({ manifest }) => manifest.name === name)
  if (one === undefined) return refusal('there is no whole export of that name')
  if (isSaid(one, wanted)) return DONE
  if (wanted.do === 'release' && one.held)
    return refusal(
      'it is held in its store itself, by a legal hold or a file: whoever did that releases it there',
    )
  if (wanted.do === 'remove') {
    const asked = { ...askedOf(step, found.value.exports, io), last: wanted.last, isDue: false }
    const soon = wanted.last && Date.parse(wanted.end) < io.clock.now() + DAY - SLACK
    const why = soon
      ? 'the removal of the newest whole one can be taken back for a day at least'
      : ((await againstHeldSnapshot(ref, one, io)) ?? againstAskedRemoval(asked))
    if (why !== null) return refusal(why)
  }
  const noted = await io.exports.note(store, ref, one.manifest, wanted)
  return noted.ok ? DONE : noted
}

/** Milliseconds between a plan and its step. */
const SLACK = 600_000

/** Said before, it is so already. */
function isSaid({ said = UNSAID }: Surveyed, wanted: ExportNote): boolean {
  if (wanted.do === 'hold') return said.held !== null
  if (wanted.do === 'release') return said.held === null
  return wanted.do === 'undo' && said.removal === null
}

const askedOf = (
  { ref, store, name }: OfExport,
  exports: readonly Surveyed[],
  io: StepIo,
): AskedRemoval & { mayLast: boolean } => ({
  ...{ name, exports, minRetention: io.exports.minRetention(store), now: io.clock.now() },
  isBad: (one) => io.journal.isBad(badKey(store, subjectKey(ref), one)),
  most: io.journal.peak(oldKey(store, subjectKey(ref), ALL)),
  mayLast: io.exports.about(store).removeLast === true,
})

/** No policy is called so. */
const ALL = '*'

export const planDropExport: PlanStep<DropExportStep> = (step, io, job) =>
  alone(step, io, job.id, () => drop(step, io))

const drop = (step: DropExportStep, io: StepIo): Promise<Result<Planned, CallError>> =>
  removeUnless(step, io, { asked: true }, async (wanted, exports) => {
    const { ref, store } = step
    const old = allOld({ exports, now: io.clock.now() })
    io.journal.counted(oldKey(store, subjectKey(ref), ALL), old.length)
    const asked = { ...askedOf(step, exports, io), last: false, isDue: true }
    return ok((await againstHeldSnapshot(ref, wanted, io)) ?? againstAskedRemoval(asked))
  })

/** Of an instance that is there: what its hold keeps, it keeps everywhere. Of one that gives no answer nothing goes. */
async function againstHeldSnapshot(
  ref: InstanceRef,
  { manifest: { snapshot } }: Surveyed,
  io: StepIo,
): Promise<string | null> {
  // A bucket has no snapshots.
  if (nounOf(ref) === 'bucket') return null
  const seen = await io.sightings.read(ref)
  if (!seen.ok)
    return seen.error.status === 404
      ? null
      : `whether its snapshot is held is not known: ${seen.error.message}`
  return isHeld(seen.value, snapshot.name) ? 'its snapshot is held: release it first' : null
}
