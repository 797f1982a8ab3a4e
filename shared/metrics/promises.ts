/** How each promise stands, as metrics: values of the verdict, judged nowhere else. */

import { SEVERITIES, type Severity } from '../promise/condition.ts'
import type { Promised } from '../promise/judge.ts'
import type { Tone, Verdict } from '../promise/verdict.ts'
import { type Family, flag, gauge, type Labels, type Sample, secondsOf } from './family.ts'

export function promiseFamilies({ tone, promises, conditions }: Verdict, now: Date): Family[] {
  const all = promises.map((promised) => ({ promised, labels: labelsOf(promised) }))
  const each = (value: (promised: Promised) => number | null): Sample[] =>
    all.flatMap(({ promised, labels }) => {
      const known = value(promised)
      return known === null ? [] : [{ labels, value: known }]
    })
  return [
    gauge(
      'stapes_health',
      'Whether all is well, as /api/health says it: 1 for the tone that holds.',
      TONES.map((one) => ({ labels: { tone: one }, value: flag(one === tone) })),
    ),
    gauge(
      'stapes_conditions',
      'How many things beside the promises are wrong or need a look.',
      SEVERITIES.map((severity) => ({ labels: { severity }, value: countOf(conditions, severity) })),
    ),
    gauge(
      'stapes_promise_kept',
      'Whether the promise is kept now. It is not while it is pending or unknown.',
      each(({ state }) => flag(state === 'kept')),
    ),
    gauge(
      'stapes_promise_pending',
      'Whether the first snapshot, copy or export is still to come, and in time.',
      each(({ state }) => flag(state === 'pending')),
    ),
    gauge(
      'stapes_promise_unknown',
      'Whether what was seen last is too old to tell if the promise is kept.',
      each(({ state }) => flag(state === 'unknown')),
    ),
    gauge(
      'stapes_promise_until_timestamp_seconds',
      'Until when a kept or pending promise holds if nothing more happens.',
      each(({ until }) => (until === null ? null : secondsOf(until))),
    ),
    gauge(
      'stapes_promise_kept_ratio',
      'For which share of the last 30 days the promise was kept, from 0 to 1.',
      each(({ keptShare }) => keptShare),
    ),
    gauge(
      'stapes_newest_age_seconds',
      'Age of the newest snapshot, of the newest verified one on the copy, or of the one in the newest export.',
      each(({ newest }) => (newest === null ? null : secondsOf(now) - secondsOf(newest.at))),
    ),
  ]
}

const TONES = ['good', 'warning', 'bad'] as const satisfies readonly Tone[]

const countOf = (conditions: Verdict['conditions'], severity: Severity): number =>
  conditions.filter((condition) => condition.severity === severity).length

/** Not `instance`: Prometheus calls what it scrapes so. */
const labelsOf = ({ kind, policy, subject, target }: Promised): Labels => ({
  ...{ kind, policy, subject },
  ...(target === null ? {} : { target }),
})
