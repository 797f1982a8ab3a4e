/** A person has a snapshot stay longer than it would by its expiry. */
import { expiresAtOf } from '../../../shared/incus/source.ts'
import { subjectKey } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { parseUndo, UNDO } from '../../../shared/policy/marks.ts'
import type { ProlongStep } from '../../../shared/relay/steps.ts'
import { err, ok } from '../../../shared/result.ts'
import { refused } from '../rules.ts'
import { standing } from './expire-later.ts'
import { expiryCall } from './requests.ts'
import { readExpiries } from './snapshots.ts'
import type { PlanStep } from './step-io.ts'

/** Never earlier: that would be a removal, which has rules of its own. */
export const planProlong: PlanStep<ProlongStep> = async ({ ref, snapshot, expiresAt }, io, job) => {
  const what = `set the expiry of ${snapshot} of ${subjectKey(ref)}`
  const refusal = (why: string) => err(refused(what, why))
  const seen = await standing(ref, what, io, job)
  if (!seen.ok) return seen
  const rows = await readExpiries(ref, io)
  if (!rows.ok) return rows
  const row = rows.value.find(({ name }) => name === snapshot)
  if (row === undefined) return refusal('it is gone')
  const mark = seen.value.own.includes(`${UNDO}${snapshot}`)
    ? parseUndo(own(seen.value.config, `${UNDO}${snapshot}`) ?? '')
    : null
  if (mark !== null) return refusal('somebody has removed it: take that back first, with undo')
  const shown = expiresAtOf(row.expiresAt)
  const end = expiresAt === null ? null : new Date(expiresAt)
  if (shown === null)
    return end === null
      ? ok({ calls: [] })
      : refusal('it never expires, and would then: use expire with a grace')
  const key = subjectKey(ref)
  // A copy may have postponed it: then its own end is another.
  const before = io.journal.postponed(key, snapshot, shown.getTime()) ?? shown.getTime()
  const isLater = end === null || end.getTime() > before
  if (!isLater)
    return refusal(
      `it expires on ${new Date(before).toISOString()}, which is not earlier: to remove it sooner, use expire with a grace`,
    )
  // While a copy needs it longer than that, it has to be another date than the copy's.
  const until = end === null ? null : new Date(Math.max(end.getTime(), shown.getTime() + 1000))
  const pair = (seen.value.snapshots ?? []).find(([name]) => name === snapshot)
  return ok({
    calls: [expiryCall(ref, snapshot, until?.toISOString() ?? null, row.expiresAt)],
    done() {
      if (pair !== undefined)
        io.journal.noteEnd(key, pair, until === null ? null : Math.ceil(until.getTime() / 1000))
      io.sightings.lasts(ref, snapshot)
      io.sightings.forget(ref)
    },
  })
}
