/** What would go of the exports that exist. */
import { expect, test } from 'vitest'
import { emptyLedger } from '../../../shared/ledger/ledger.ts'
import { renderInstallation } from '../../../shared/plan/installation.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import { foreseeExports, keptPlaces } from '../../../shared/simulate/exports.ts'
import type { ExportRow, ExportSurvey } from '../../../shared/work/export/manifest.ts'
import { INSTALLATION, parseWorld } from '../plan/world-text.ts'
import { configOf } from '../policy/instances.ts'

const NOW = new Date('2026-11-22T10:20:30Z')
const world = parseWorld('main:default/web running\n  p-20261122T0300Z @2026-11-22T03:00Z')

const row = (day: number, more: Partial<ExportRow> = {}): ExportRow => {
  const date = `2026-11-${day}T04:00:00Z`
  return {
    ...{ store: 'nas', name: `202611${day}T040000Z`, snapshot: { name: 's', createdAt: date }, madeAt: date },
    ...{ optimized: false, bytes: 1, sha256: '0'.repeat(64), encrypted: false },
    ...{ policy: 'p', owner: renderInstallation(INSTALLATION) },
    ...more,
  }
}

function foreseen(keep: object, rows: ExportRow[] | null, until = '2026-11-26T00:00:00.000Z') {
  const policy = {
    schedule: '0 3 * * *',
    keep: { daily: 9 },
    export: { to: 'nas', schedule: '0 4 * * *', keep },
  }
  const covered = coverInstances(configOf({ p: policy }), world.remotes).flatMap((one) => one.covered)
  const survey: ExportSurvey | null = rows === null ? null : { rows, strays: [] }
  const { removals, braked } = foreseeExports(covered, until, {
    ...{ world, ledger: emptyLedger('v'), installation: INSTALLATION, now: NOW },
    stored: { surveys: new Map([['main/default/web>nas', survey]]), facts: null },
  })
  return {
    places: keptPlaces(covered, NOW).length,
    braked: braked.map(({ at, snapshots }) => `${at.slice(0, 10)} ${snapshots.length}`),
    removals: removals.map(
      ({ at, of, snapshot, when, reason }) =>
        `${at.slice(0, 13)} ${of} ${snapshot.slice(0, 8)} ${when}: ${reason}`,
    ),
  }
}

test('goes slot by slot, as others come', () => {
  expect(foreseen({ last: 2 }, [row(22), row(21), row(20)])).toEqual({
    ...{ places: 1, braked: [] },
    removals: [
      '2026-11-22T10 main/default/web>nas 20261120 now: no rule keeps it',
      '2026-11-23T04 main/default/web>nas 20261121 next: no rule keeps it',
      '2026-11-24T04 main/default/web>nas 20261122 later: no rule keeps it',
    ],
  })
})

test('waits for its store, to the date', () => {
  const { removals } = foreseen({ last: 1 }, [row(22), row(21, { until: '2026-11-23T09:30:00.000Z' })])
  expect(removals).toEqual([
    '2026-11-23T04 main/default/web>nas 20261122 next: no rule keeps it',
    '2026-11-23T09 main/default/web>nas 20261121 later: no rule keeps it',
  ])
})

test('is held back by the brake', () => {
  const rows = [22, 21, 20, 19, 18, 17].map((day) => row(day))
  expect(foreseen({ last: 1 }, rows)).toMatchObject({ braked: ['2026-11-22 5'], removals: [] })
})

test('nothing, where its store could not be read, or nothing is to be removed', () => {
  expect(foreseen({ last: 1 }, null)).toEqual({ places: 1, braked: [], removals: [] })
  expect(foreseen({}, [row(22), row(21)])).toEqual({ places: 0, braked: [], removals: [] })
})
