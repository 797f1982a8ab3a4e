/** Verdicts and channels with what a test doesn't care about filled in. */
import type { Channel } from '../../../shared/notify/channel.ts'
import type { Condition } from '../../../shared/promise/condition.ts'
import type { Promised } from '../../../shared/promise/judge.ts'
import { toneOf, type Verdict } from '../../../shared/promise/verdict.ts'

export const channelOf = (more: Partial<Channel> = {}): Channel => ({
  ...{ name: 'ops', type: 'slack', secrets: { url: 'NOTIFY_OPS' }, email: null, severity: 'warning' },
  ...{ policies: null, remotes: null, match: null, timezone: 'UTC', quiet: null, digest: null },
  ...more,
})

export const conditionOf = (more: Partial<Condition> = {}): Condition => ({
  ...{ id: 'role x', severity: 'critical', kind: 'all', about: null, since: null },
  text: 'nothing is copied to backup',
  ...more,
})

export const promisedOf = (more: Partial<Promised> = {}): Promised => ({
  ...{ kind: 'snapshot', policy: 'hourly', subject: 'main/default/web', target: null, state: 'broken' },
  newest: { snapshot: 'hourly-20261122T0300Z', at: '2026-11-22T03:00:10.000Z' },
  ...{ until: null, since: '2026-11-22T05:00:00.000Z', reason: 'No space left on device', keptShare: null },
  ...more,
})

export const verdictOf = (promises: Promised[], conditions: Condition[] = []): Verdict => ({
  ...{ tone: toneOf(promises, conditions), promises, conditions },
})
