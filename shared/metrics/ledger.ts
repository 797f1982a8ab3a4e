/** Slots, tries and long work, as metrics: what the ledger notes. */
import type { Ledger, OpenSlot, PolicyLedger, SlotOutcome } from '../ledger/ledger.ts'
import { keyIn, kindIn, subjectIn, targetIn, type Work } from '../ledger/work.ts'
import { merged, own } from '../own.ts'
import type { Policy } from '../policy/policy.ts'
import { nextSlot } from '../schedule/slots.ts'
import { ENDS } from '../work/life.ts'
import { LONG_KINDS } from '../work/verbs.ts'
import { type Family, flag, gauge, type Labels, type Sample, secondsOf } from './family.ts'

const OUTCOMES = ['served', 'skipped', 'missed', 'failed'] as const satisfies readonly SlotOutcome[]

export function slotFamilies(policies: readonly Policy[], ledger: Ledger, now: Date): Family[] {
  const known = policies.map((policy) => ({ policy, noted: own(ledger.policies, policy.name) }))
  const open = known.flatMap(({ policy: { name }, noted }) =>
    noted?.open == null ? [] : [{ name, slot: noted.open }],
  )
  return [
    gauge(
      'stapes_policy_paused',
      'Whether the policy is paused, so that it promises nothing.',
      policies.map(({ name, paused }) => ({ labels: { policy: name }, value: flag(paused) })),
    ),
    gauge(
      'stapes_recorded_slots',
      'How the newest 100 slots of the policy ended, by outcome. It goes down too: old records are dropped.',
      known.flatMap(({ policy: { name }, noted }) =>
        OUTCOMES.map((outcome) => ({
          labels: { policy: name, outcome },
          value: slotsWith(noted, outcome),
        })),
      ),
    ),
    gauge(
      'stapes_incus_recorded_slots',
      'How the newest slots of Incus’s own schedules on a remote ended, by outcome.',
      Object.entries(ledger.incus ?? {}).flatMap(([remote, noted]) =>
        (['served', 'missed'] as const).map((outcome) => ({
          labels: { remote, outcome },
          value: slotsWith(noted, outcome),
        })),
      ),
    ),
    gauge(
      'stapes_next_slot_timestamp_seconds',
      'The next slot of a policy that is not paused.',
      policies.flatMap((policy) => {
        const next = policy.paused ? null : nextSlot({ ...policy, after: now })
        return next === null ? [] : [{ labels: { policy: policy.name }, value: secondsOf(next) }]
      }),
    ),
    gauge(
      'stapes_open_slot_timestamp_seconds',
      'The slot that is being served.',
      open.map(({ name, slot }) => ({ labels: { policy: name }, value: secondsOf(slot.slot) })),
    ),
    gauge(
      'stapes_slot_failed_attempts',
      'Failed tries to take the open slot’s snapshot of an instance, or to reach its remote.',
      open.flatMap(({ name, slot }) => attemptsIn(name, slot)),
    ),
    gauge(
      'stapes_last_pause_seconds',
      'How long an instance stood still when it and its volumes were taken as one the last time.',
      known.flatMap(({ policy: { name }, noted }) => pausesIn(name, noted)),
    ),
  ]
}

const slotsWith = (noted: Pick<PolicyLedger, 'slots'> | undefined, outcome: SlotOutcome): number =>
  (noted?.slots ?? []).filter((one) => one.outcome === outcome).reduce((sum, { count = 1 }) => sum + count, 0)

const attemptsIn = (policy: string, { attempts }: OpenSlot): Sample[] =>
  Object.entries(attempts).map(([subject, { count }]) => ({ labels: { policy, subject }, value: count }))

/** The newest record that has one counts. */
const pausesIn = (policy: string, noted: PolicyLedger | undefined): Sample[] =>
  Object.entries(
    merged(...(noted?.slots ?? []).map(({ paused }) => paused).toReversed(), noted?.open?.paused),
  ).map(([subject, value]) => ({ labels: { policy, subject }, value }))

export function workFamilies(ledger: Ledger): Family[] {
  const all = Object.entries(ledger.work).map(([key, entry]) => ({ key, entry }))
  const running = all.filter(({ entry }) => ENDS[entry.state] === null)
  const failing = all.filter(({ entry }) => isFailing(entry))
  return [
    gauge(
      'stapes_work_in_progress',
      'Long work that is in progress, by kind.',
      LONG_KINDS.map(({ name }) => ({
        labels: { kind: name },
        value: running.filter(({ key }) => kindIn(key) === name).length,
      })),
    ),
    gauge(
      'stapes_work_started_timestamp_seconds',
      'Since when the work is in progress.',
      running.map(({ key, entry }) => ({ labels: labelsOf(key), value: secondsOf(entry.at) })),
    ),
    gauge(
      'stapes_work_failed_attempts',
      'Failed tries of work since its last success.',
      failing.map(({ key, entry }) => ({ labels: labelsOf(key), value: entry.attempts })),
    ),
    gauge('stapes_next_retry_timestamp_seconds', 'When what failed is tried again.', [
      ...failing.flatMap(({ key, entry: { retryAt } }) =>
        retryAt === undefined ? [] : [{ labels: labelsOf(key), value: secondsOf(retryAt) }],
      ),
      ...Object.entries(ledger.policies).flatMap(([policy, { open }]) =>
        Object.entries(open?.attempts ?? {}).flatMap(([subject, { retryAt }]) =>
          retryAt === undefined
            ? []
            : [{ labels: { kind: 'snapshot', policy, subject }, value: secondsOf(retryAt) }],
        ),
      ),
    ]),
  ]
}

const isFailing = ({ state, attempts }: Work): boolean => attempts > 0 && ENDS[state] !== 'good'

function labelsOf(key: string): Labels {
  const target = targetIn(key)
  const kind = kindIn(key)
  return target === '' ? { kind, subject: keyIn(key) } : { kind, subject: subjectIn(key), target }
}
