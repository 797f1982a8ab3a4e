/** The list of slot records: bounded, newest first. */
import { SLOT_RECORDS, type SlotRecord } from './ledger.ts'

export const pushSlot = (records: readonly SlotRecord[], record: SlotRecord | null): SlotRecord[] =>
  record === null
    ? [...records]
    : [record, ...records].sort((a, b) => (a.slot < b.slot ? 1 : -1)).slice(0, SLOT_RECORDS)

/** How a slot ended, from what was seen of its instances. */
export function closedSlot(
  slot: string,
  seen: {
    served: number
    failures: { instance: string; reason: string }[]
    empty: string | null
    remark?: string | null
    paused?: Readonly<Record<string, number>>
  },
): SlotRecord {
  const { served, failures, empty, remark, paused = {} } = seen
  const stood = Object.keys(paused).length === 0 ? {} : { paused }
  if (failures.length > 0) {
    const unreadable = served === 0 && failures.every(({ instance }) => instance.startsWith('remote:'))
    const outcome = unreadable ? 'missed' : 'failed'
    return {
      slot,
      outcome,
      reason: failures[0]?.reason ?? '',
      served,
      failures: failures.slice(0, FAILURES),
      ...stood,
    }
  }
  if (served === 0) return { slot, outcome: 'skipped', reason: empty ?? 'no instance matches' }
  return { slot, outcome: 'served', served, ...(remark == null ? {} : { reason: remark }), ...stood }
}

/** Whether something that it should have was not taken. */
export const isUnserved = ({ outcome, failures = [] }: SlotRecord): boolean =>
  outcome === 'missed' || outcome === 'failed' || failures.length > 0

export const reasonOf = ({ reason, failures = [] }: SlotRecord): string | undefined =>
  reason ?? failures[0]?.reason

/** A record names at most so many failures; the run's report has them all. */
const FAILURES = 20
