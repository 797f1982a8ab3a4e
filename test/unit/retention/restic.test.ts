/**
 * The same snapshots and policies as the real restic 0.14 was asked about (golden/retention). Since
 * 0.16 restic also keeps the oldest snapshot where a rule has room left, and so do we; 0.14 didn't,
 * so what only an "oldest" reason keeps is left out of the comparison.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { applyKeep } from '../../../shared/retention/apply.ts'
import { policies } from '../../golden/retention/policies.ts'

type Golden = {
  zones: {
    timezone: string
    snapshots: { name: string; takenAt: string }[]
    policies: Record<string, Record<string, string>>
  }[]
}

const golden: Golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../golden/retention/restic.json'), 'utf8'),
)

/** "daily 2 of 7" is restic's "daily snapshot" with 5 left; all leaves -1; plain within comes first there. */
const inResticsWords = (reasons: readonly string[]): string =>
  reasons
    .map((reason) => {
      const [, rule, nth, limit] = /^(\w+)(?: (\d+) of (\d+)|, all)$/.exec(reason) ?? []
      if (rule === undefined) return reason
      return `${rule} snapshot, ${limit === undefined ? -1 : Number(limit) - Number(nth)} left`
    })
    .sort((a, b) => Number(b.startsWith('within')) - Number(a.startsWith('within')))
    .join(' + ')

describe.each(golden.zones)('restic in $timezone', ({ timezone, snapshots, policies: answers }) => {
  const candidates = snapshots.map(({ name, takenAt }) => ({ name, slot: new Date(takenAt), held: false }))

  test.each(Object.entries(policies))('%s', (policy, keep) => {
    const { keep: kept } = applyKeep(keep, { timezone, now: new Date('2026-01-01T00:00Z'), candidates })
    const ours = kept.flatMap(({ name, reasons }) => {
      const own = reasons.filter((reason) => !reason.startsWith('oldest'))
      return own.length === 0 ? [] : [[name, inResticsWords(own)]]
    })
    expect(ours.length).toBeGreaterThan(0)
    expect(Object.fromEntries(ours)).toEqual(answers[policy])
  })
})

test('the golden covers every policy', () => {
  for (const { policies: answers } of golden.zones)
    expect(Object.keys(answers)).toEqual(Object.keys(policies))
})
