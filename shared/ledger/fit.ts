/**
 * The ledger within what KV holds. Reasons are cut, and where that isn't enough the oldest records of slots and
 * runs go, which are for people only. What later ticks work by always stays.
 */
import { safeText } from '../safe-text.ts'
import type { Ledger, PolicyLedger, RunRecord, SlotRecord } from './ledger.ts'

/** Characters. A value of KV may have 25 MiB, and a character takes up to three bytes. */
const LARGEST = 8_000_000
/** Of a reason. */
const LONGEST = 1000
/** Instances that a slot's record names, and problems of a run's. */
const NAMED = 100
/** Records of each policy where all of them don't fit. */
const FEW = 5

export function fitLedger(ledger: Ledger, largest = LARGEST): string {
  const cut = {
    ...ledger,
    policies: eachOf(ledger.policies, shortened),
    runs: ledger.runs.map(brief),
    ...(ledger.incus === undefined
      ? {}
      : { incus: eachOf(ledger.incus, (one) => ({ ...one, slots: one.slots.map(named) })) }),
  }
  const text = JSON.stringify(cut)
  if (text.length <= largest) return text
  const policies = eachOf(cut.policies, (policy) => ({
    ...policy,
    slots: policy.slots.slice(0, FEW).map(nameless),
    open: policy.open === null ? null : { ...policy.open, attempts: eachOf(policy.open.attempts, wordless) },
  }))
  const incus = eachOf(cut.incus ?? {}, (one) => ({ ...one, slots: one.slots.slice(0, FEW).map(nameless) }))
  return JSON.stringify({ ...cut, policies, incus, runs: cut.runs.slice(0, FEW) })
}

const eachOf = <Value>(map: Record<string, Value>, change: (value: Value) => Value): Record<string, Value> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]))

const shortened = (policy: PolicyLedger): PolicyLedger => ({
  ...policy,
  slots: policy.slots.map(named),
  open:
    policy.open === null
      ? null
      : {
          ...policy.open,
          attempts: eachOf(policy.open.attempts, (one) => ({ ...one, reason: said(one.reason) })),
        },
})

const said = (reason: string): string => safeText(reason, LONGEST)

/** So many instances by name, and how many more. */
function named(slot: SlotRecord): SlotRecord {
  const { failures, reason } = slot
  const whole = reason === undefined ? slot : { ...slot, reason: said(reason) }
  if (failures === undefined) return whole
  // A list that was cut before has one line more.
  const isShort = failures.length <= NAMED + 1
  const shown = (isShort ? failures : failures.slice(0, NAMED)).map((one) => ({
    ...one,
    reason: said(one.reason),
  }))
  const more = failures.length - shown.length
  return isShort
    ? { ...whole, failures: shown }
    : { ...whole, failures: [...shown, { instance: `${more} more`, reason: 'not listed one by one' }] }
}

const nameless = ({ failures, ...slot }: SlotRecord): SlotRecord =>
  failures === undefined
    ? slot
    : { ...slot, failures: [{ instance: `${failures.length}`, reason: 'not listed one by one' }] }

const wordless = <Attempt extends { reason: string }>(attempt: Attempt): Attempt => ({
  ...attempt,
  reason: safeText(attempt.reason, 60),
})

const brief = (run: RunRecord): RunRecord => ({
  ...run,
  problems: run.problems.slice(0, NAMED).map(said),
  ...(run.listed === undefined
    ? {}
    : { listed: eachOf(run.listed, (list) => list.slice(0, NAMED).map(said)) }),
})
