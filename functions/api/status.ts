/** What stapes did and will do, from the notebook alone: no call to Incus. */
import type { Ledger } from '../../shared/ledger/ledger.ts'
import type { Policy } from '../../shared/policy/policy.ts'
import { nextSlot } from '../../shared/schedule/slots.ts'
import type { StoredConfig } from '../state/config.ts'

export function statusOf(stored: StoredConfig | null, ledger: Ledger | null, now: Date) {
  const policies = stored?.config.policies ?? []
  return {
    configured: stored !== null,
    appliedAt: stored?.appliedAt ?? null,
    wakeAt: ledger?.wakeAt ?? null,
    warnings: stored === null ? [] : warningsOf(stored, ledger, now),
    policies: Object.fromEntries(policies.map((policy) => [policy.name, policyStatus(policy, ledger, now)])),
    copies: Object.fromEntries(
      Object.entries(ledger?.copies ?? {}).map(([key, { state, attempts, at, reason, retryAt, newest }]) => [
        key,
        {
          state,
          attempts,
          at,
          ...(reason === undefined ? {} : { reason }),
          ...(retryAt === undefined ? {} : { retryAt }),
          ...(newest === undefined ? {} : { newest }),
        },
      ]),
    ),
    runs: ledger?.runs ?? [],
  }
}

/** Something was due and nobody looked: the cron trigger comes each minute. */
const OVERDUE_MINUTES = 5

function warningsOf({ version, appliedAt }: StoredConfig, ledger: Ledger | null, now: Date): string[] {
  const due = ledger === null || ledger.wakeAt < appliedAt ? appliedAt : ledger.wakeAt
  const late = Math.floor((now.getTime() - new Date(due).getTime()) / 60_000)
  const hint = 'is the cron trigger on, and does POST /api/tick work?'
  const overdue = late >= OVERDUE_MINUTES && !isCopying(ledger)
  return [
    ...(overdue ? [`something is due since ${due}, and no tick came for ${late} min: ${hint}`] : []),
    ...(ledger === null || ledger.config === version
      ? []
      : ['no tick has looked at the applied configuration yet']),
  ]
}

/** A copy that goes on as before is watched each minute without a note of it. */
const isCopying = (ledger: Ledger | null): boolean =>
  Object.values(ledger?.copies ?? {}).some(({ state }) => state === 'started' || state === 'running')

function policyStatus(policy: Policy, ledger: Ledger | null, now: Date) {
  const known = ledger?.policies[policy.name]
  const next = policy.paused ? null : nextSlot({ ...policy, after: now })
  return {
    schedule: policy.schedule,
    timezone: policy.timezone,
    paused: policy.paused,
    nextSlot: next?.toISOString() ?? null,
    open: known?.open?.slot ?? null,
    slots: known?.slots ?? [],
  }
}
