/** Which exports go, and why each of the others stays. */
import { describe, expect, test } from 'vitest'
import { renderInstallation } from '../../../../shared/plan/installation.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { ExportRow } from '../../../../shared/work/export/manifest.ts'
import { reasonsOf, type Sorting, sortExports } from '../../../../shared/work/thinning/sort.ts'
import { INSTALLATION, parseWorld } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'

const NOW = new Date('2026-11-22T10:20:30Z')

/** Made at three o'clock of that day of November. */
const row = (day: number, more: Partial<ExportRow> = {}): ExportRow => {
  const date = `2026-11-${day}T03:00:00Z`
  return {
    ...{ store: 'nas', name: `202611${day}T030000Z`, snapshot: { name: `p-202611${day}`, createdAt: date } },
    ...{ madeAt: date, optimized: false, bytes: 1, sha256: '0'.repeat(64), encrypted: false },
    ...{ policy: 'p', owner: renderInstallation(INSTALLATION) },
    ...more,
  }
}
const without = (key: 'policy' | 'owner', { [key]: _, ...rest }: ExportRow): ExportRow => rest

const sorted = (rows: readonly ExportRow[], more: Partial<Sorting> = {}) => {
  const { kept, going, later } = sortExports(rows, {
    ...{ policy: 'p', keep: { last: 2 }, timezone: 'UTC', record: {}, held: new Set<string>() },
    ...{ bad: undefined, installation: INSTALLATION, minRetention: 0, now: NOW },
    ...more,
  })
  const said = (all: readonly { name: string; reason: string }[]) =>
    Object.fromEntries(all.map(({ name, reason }) => [Number(name.slice(6, 8)), reason]))
  return { kept: said(kept), going: said(going), later: said(later) }
}

test('what no rule keeps goes, the oldest first', () => {
  expect(sorted([row(22), row(21), row(20), row(19)])).toEqual({
    kept: { 22: 'last 1 of 2', 21: 'last 2 of 2' },
    going: { 19: 'no rule keeps it', 20: 'no rule keeps it' },
    later: {},
  })
  expect(sorted([row(22), row(21), row(20)], { keep: {} }).going).toEqual({})
})

describe('stays, and takes no place of another', () => {
  test.each([
    ['on request', without('policy', row(20)), {}, /made on request/],
    ['of another policy', row(20, { policy: 'q' }), {}, /made for policy q/],
    ['of another installation', row(20, { owner: '9.x.y' }), {}, /another installation/],
    ['of an unknown installation', without('owner', row(20)), {}, /another installation/],
    [
      'of an earlier instance',
      row(20),
      { record: { identity: { uuid: 'u', since: Date.parse('2026-11-20T12:00:00Z') / 1000 } } },
      /an earlier instance/,
    ],
    ['that isn’t what was stored', row(20), { bad: '20261120T030000Z' }, /not what was stored/],
    ['whose date can’t be read', row(20, { madeAt: 'then' }), {}, /can’t be read/],
    ['that is held in its store', row(20, { held: true }), {}, /^held$/],
    ['whose snapshot is held', row(20), { held: new Set(['p-20261120']) }, /^held$/],
  ] as const)('one %s', (_, one, more, why) => {
    const { kept, going } = sorted([row(22), row(21), one], more)
    expect(kept).toEqual({ 22: 'last 1 of 2', 21: 'last 2 of 2', 20: expect.stringMatching(why) })
    expect(going).toEqual({})
  })
})

test('what its store keeps goes later, by whichever lasts longer', () => {
  const rows = [row(22), row(21), row(20, { until: '2026-12-24T00:00:00.000Z' }), row(19)]
  const { going, later } = sorted(rows, { minRetention: 10 * 86_400 })
  expect(going).toEqual({})
  expect(later).toEqual({
    19: expect.stringContaining('its store keeps it until 2026-11-29T03:00:00.000Z'),
    20: expect.stringContaining('its store keeps it until 2026-12-24T00:00:00.000Z'),
  })
})

describe('a list says of each why it stays', () => {
  const world = parseWorld('main:default/web running\n  p-20261122T0300Z @2026-11-22T03:00Z')
  const listed = (key: string, policies: Record<string, object>) =>
    Object.fromEntries(
      reasonsOf(
        key,
        {
          store: 'nas',
          rows: [row(22), row(21), row(20), row(19, { policy: 'q' }), without('policy', row(18))],
        },
        {
          ...{ coverages: coverInstances(configOf(policies), world.remotes), world, facts: null },
          ...{ now: NOW, installation: INSTALLATION },
        },
      ),
    )
  const policy = { schedule: '0 3 * * *', keep: { last: 9 } }

  test('by the policy that had it made', () => {
    const wish = { to: 'nas', keep: { last: 2 } }
    const said = listed('main/default/web', {
      p: { ...policy, export: wish },
      r: { ...policy, export: wish },
    })
    expect(Object.values(said)).toEqual([
      'last 1 of 2',
      'last 2 of 2',
      expect.stringContaining('no rule keeps it: it goes'),
      'policy q does not export it there now, so it stays',
      'made on request, so no policy removes it',
    ])
  })

  test('where no policy exports there, or its instance is gone', () => {
    const elsewhere = listed('main/default/web', {
      p: { ...policy, export: { to: 'r2', keep: { last: 1 } } },
    })
    expect(Object.values(elsewhere)).not.toContain(expect.stringContaining('goes'))
    const gone = listed('main/default/gone', { p: { ...policy, export: { to: 'nas', keep: { last: 1 } } } })
    expect(new Set(Object.values(gone))).toEqual(
      new Set(['its instance is gone, or not listed, so it stays']),
    )
  })
})
