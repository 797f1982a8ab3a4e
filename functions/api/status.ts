/** The status, from what KV has: no call to Incus. */
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { lossOf } from '../../shared/ledger/parse-ledger.ts'
import { keyIn, kindIn, type Work } from '../../shared/ledger/work.ts'
import { own } from '../../shared/own.ts'
import { effectiveConfig, holdsAt } from '../../shared/policy/pause.ts'
import type { Pause, Policy } from '../../shared/policy/policy.ts'
import type { FoundConfig } from '../../shared/policy/stored.ts'
import type { Condition } from '../../shared/promise/condition.ts'
import { narrowTo, textsOf, toneOf, type Verdict, verdictOf } from '../../shared/promise/verdict.ts'
import { nextSlot } from '../../shared/schedule/slots.ts'
import type { Long } from '../../shared/work/kind.ts'
import { LONG_KINDS } from '../../shared/work/verbs.ts'
import type { Known } from '../state/known.ts'
import { runView } from '../summary.ts'

/** What is applied, and what is wrong with it or where it is kept. */
export type Applied = Pick<FoundConfig, 'stored' | 'problems'>

export function statusOf({ stored, problems }: Applied, known: Known, now: Date) {
  const { ledger } = known
  return {
    configured: stored !== null,
    appliedAt: stored?.appliedAt ?? null,
    wakeAt: ledger?.wakeAt ?? null,
    ...healthOf({ stored, problems }, known, now),
    policies: policiesStatus(stored, ledger, now),
    ownSchedules: ownSchedulesOf(ledger),
    ...workStatus(ledger),
    runs: (ledger?.runs ?? []).map(runView),
  }
}

type Only = { policy?: string | undefined; subject?: string | undefined }

/** The verdict, and all of it that isn't well in words; `only` about a policy, or an instance by its key. */
export function healthOf(found: Applied, known: Known, now: Date, only: Only = {}) {
  const verdict = narrowTo(verdictIn(found, known, now), only)
  const { tone, promises } = verdict
  // The names may be hundreds, and its text has those that people read.
  const conditions = verdict.conditions.map(({ each: _, ...condition }) => condition)
  return { health: tone, warnings: textsOf(verdict), promises, conditions }
}

/** By all that KV has. */
export function verdictIn({ stored, problems }: Applied, known: Known, now: Date): Verdict {
  const { ledger, lost, facts, channels = [] } = known
  const loss = lossOf(lost)
  const wrong = loss === null ? problems : [...problems, loss]
  if (stored !== null) {
    const { policies } = effectiveConfig(stored, now)
    return verdictOf({ policies, applied: { ...stored, problems: wrong }, ledger, facts, now, channels })
  }
  const conditions = (wrong.length > 0 ? wrong : [NOTHING_APPLIED]).map(
    (text): Condition => ({
      ...{ id: `config ${text}`, severity: 'critical', kind: 'all', about: null },
      ...{ text, since: null },
    }),
  )
  return { tone: toneOf([], conditions), promises: [], conditions }
}

const NOTHING_APPLIED =
  'no configuration was applied, so nothing is backed up: npm run apply, or PUT /api/config'

/** Incus's own, by remote. */
const ownSchedulesOf = (ledger: Ledger | null) =>
  Object.fromEntries(
    Object.entries(ledger?.incus ?? {}).map(([remote, { subjects, slots, zone }]) => [
      remote,
      {
        zone: zone ?? null,
        instances: Object.fromEntries(
          Object.entries(subjects).map(([key, { schedule, since, missed = null }]) => [
            key,
            { schedule, since, missed },
          ]),
        ),
        slots,
      },
    ]),
  )

/** Long work by kind: `copies`, `restores`, …, each by the key of what it works on. */
function workStatus(ledger: Ledger | null): Record<string, Record<string, object>> {
  const all = Object.entries(ledger?.work ?? {})
  return Object.fromEntries(
    LONG_KINDS.map(({ name, long }) => [
      long.noun.several,
      Object.fromEntries(
        all.flatMap(([key, entry]) => (kindIn(key) === name ? [[keyIn(key), shownOf(entry, long)]] : [])),
      ),
    ]),
  )
}

function shownOf({ state, attempts, at, reason, retryAt, ...own }: Work, { shown }: Long<Work>): object {
  const more = Object.entries({ reason, retryAt, ...own }).filter(
    ([name, value]) => value !== undefined && ['reason', 'retryAt', ...Object.keys(shown)].includes(name),
  )
  return { state, attempts, at, ...Object.fromEntries(more) }
}

/** By name: when each is due, and what came of its slots. */
export function policiesStatus(stored: Applied['stored'], ledger: Ledger | null, now: Date) {
  const policies = stored === null ? [] : effectiveConfig(stored, now).policies
  return Object.fromEntries(
    policies.map((policy) => [
      policy.name,
      policyStatus(policy, own(stored?.pauses, policy.name), ledger, now),
    ]),
  )
}

function policyStatus(policy: Policy, pause: Pause | undefined, ledger: Ledger | null, now: Date) {
  const known = own(ledger?.policies, policy.name)
  const next = policy.paused ? null : nextSlot({ ...policy, after: now })
  return {
    schedule: policy.schedule,
    timezone: policy.timezone,
    paused: policy.paused,
    ...(pause !== undefined && holdsAt(pause, now) ? { pause } : {}),
    nextSlot: next?.toISOString() ?? null,
    open: known?.open?.slot ?? null,
    slots: known?.slots ?? [],
  }
}
