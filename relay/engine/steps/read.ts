/** What the caller may read of single instances: nothing of their config but the keys of stapes. */
import { expiresAtOf } from '../../../shared/incus/source.ts'
import { PREFIX, RESTORING } from '../../../shared/policy/marks.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import type { ReadSnapshotsStep, SnapshotRow } from '../../../shared/relay/steps.ts'
import { err, ok } from '../../../shared/result.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { call } from '../call.ts'
import { isObject, text } from '../envelope.ts'
import { rowsOf as plainRows } from '../subject-requests.ts'
import { listOf } from './requests.ts'
import type { PlanStep } from './step-io.ts'

export const planReadSnapshots: PlanStep<ReadSnapshotsStep> = async ({ ref }, { upstream, seal }) => {
  const list = await call(upstream, ref.remote, listOf(ref))
  if (!list.ok) return list
  const metadata = plainRows(ref, list.value.envelope.metadata)
  if (!Array.isArray(metadata) || !metadata.every(isObject))
    return err<CallError>({ code: 'bad-reply', message: `the snapshots of ${ref.instance} are no list` })
  return ok({ calls: [], reply: metadata.map((row) => rowOf(row, (text) => seal.isOn(ref, text))) })
}

/** Characters of a description. */
const LONGEST = 300

const endOf = (date: string): string | null => {
  const end = expiresAtOf(date)
  return end === null || Number.isNaN(end.getTime()) ? null : end.toISOString()
}

/** A mark of a restore that the relay didn't make is none. */
function rowOf(row: Record<string, unknown>, isSealed: (text: string) => boolean): SnapshotRow {
  const config = isObject(row.config) ? row.config : {}
  const ours = Object.entries(config).filter(
    ([key, value]) => key.startsWith(PREFIX) && (key !== RESTORING || isSealed(text(value))),
  )
  return {
    name: text(row.name),
    stateful: row.stateful === true,
    config: Object.fromEntries(ours.map(([key, value]) => [key, text(value)])),
    expiresAt: endOf(text(row.expires_at)),
    size: typeof row.size === 'number' && row.size > 0 ? row.size : null,
    description: safeText(text(row.description), LONGEST),
  }
}
