/** What stapes did and will do, from the ledger alone: no call to Incus. */

import type { Ledger } from '../../shared/ledger/ledger.ts'
import { type Found, lossOf } from '../../shared/ledger/parse-ledger.ts'
import { findingsOf, warningsOf } from '../../shared/ledger/warnings.ts'
import { own } from '../../shared/own.ts'
import { effectiveConfig, holdsAt } from '../../shared/policy/pause.ts'
import type { Pause, Policy } from '../../shared/policy/policy.ts'
import type { FoundConfig } from '../../shared/policy/stored.ts'
import { nextSlot } from '../../shared/schedule/slots.ts'

export function statusOf(
  { stored, problems }: Pick<FoundConfig, 'stored' | 'problems'>,
  { ledger, lost }: Found,
  now: Date,
) {
  const loss = lossOf(lost)
  const wrong = loss === null ? problems : [...problems, loss]
  const policies = stored === null ? [] : effectiveConfig(stored, now).policies
  return {
    configured: stored !== null,
    appliedAt: stored?.appliedAt ?? null,
    wakeAt: ledger?.wakeAt ?? null,
    warnings:
      stored === null
        ? wrong
        : [...warningsOf({ ...stored, problems: wrong }, ledger, now), ...findingsOf(ledger)],
    policies: Object.fromEntries(
      policies.map((policy) => [
        policy.name,
        policyStatus(policy, own(stored?.pauses, policy.name), ledger, now),
      ]),
    ),
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
    restores: Object.fromEntries(
      Object.entries(ledger?.restores ?? {}).map(
        ([key, { state, snapshot, safety, attempts, at, reason, retryAt }]) => [
          key,
          {
            state,
            snapshot,
            safety,
            attempts,
            at,
            ...(reason === undefined ? {} : { reason }),
            ...(retryAt === undefined ? {} : { retryAt }),
          },
        ],
      ),
    ),
    runs: ledger?.runs ?? [],
  }
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
