/** What docs/monitoring/ offers fits what is exposed, as Prometheus's own tool judges it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMeter } from '../../../relay/metrics/meter.ts'
import { relayFamilies } from '../../../relay/metrics/relay-families.ts'
import { edgeFamilies } from '../../../shared/metrics/edge.ts'
import { type Family, gauge } from '../../../shared/metrics/family.ts'
import { verdictOf } from '../../../shared/promise/verdict.ts'
import { onPromtool } from '../../lab/real.ts'
import { factsWith, NOW, pairAt, scrape, WEB } from './edge-at.ts'

const MONITORING = join(import.meta.dirname, '../../../docs/monitoring')
const DASHBOARD = readFileSync(join(MONITORING, 'grafana.json'), 'utf8')
const ALERTS = join(MONITORING, 'alerts.yml')

type Panel = {
  title: string
  targets: { expr: string }[]
  gridPos: { x: number; y: number; w: number; h: number }
}
const dashboard = JSON.parse(DASHBOARD) as { panels: Panel[] }

const known = { policies: [], applied: { version: '', appliedAt: '' }, ledger: null, facts: null, now: NOW }

/** As Prometheus calls their series. */
const seriesOf = ({ name, type }: Family): string[] =>
  type === 'counter'
    ? [`${name}_total`]
    : type === 'histogram'
      ? ['bucket', 'count', 'sum'].map((end) => `${name}_${end}`)
      : [name]

const relay = relayFamilies({
  meter: createMeter(),
  load: () => ({ calls: [], jobs: [] }),
  certificates: {
    family: () => gauge('stapes_relay_certificate_end_timestamp_seconds', '', []),
  },
  watch: null,
})
const EXPOSED = new Set(
  [...edgeFamilies({ ...known, verdict: verdictOf(known) }), ...relay].flatMap(seriesOf),
)

const metricsIn = (text: string): string[] => [...new Set(text.match(/\bstapes_[a-z_]+/g) ?? [])]
const expressionsIn = (text: string): string => (text.match(/^ *expr: .*$/gm) ?? []).join('\n')

test('each metric that the dashboard shows is one that is exposed', () => {
  const shown = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  expect(metricsIn(shown.join('\n')).length).toBeGreaterThan(10)
  expect(metricsIn(shown.join('\n')).filter((name) => !EXPOSED.has(name))).toEqual([])
})

test('each metric that an alert rule goes by is one that is exposed', () => {
  const rules = expressionsIn(readFileSync(ALERTS, 'utf8'))
  expect(metricsIn(rules).length).toBeGreaterThan(5)
  expect(metricsIn(rules).filter((name) => !EXPOSED.has(name))).toEqual([])
})

test('panels of the dashboard don’t lie on each other, and each shows something', () => {
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(
    dashboard.panels.filter(({ targets, gridPos }) => targets.length === 0 || gridPos.x + gridPos.w > 24),
  ).toEqual([])
})

onPromtool('metrics, alert rules and the queries of the dashboard', () => {
  const promtool = (args: string[], input = ''): string => {
    const { status, stdout, stderr } = spawnSync('promtool', args, {
      input,
      encoding: 'utf8',
      cwd: import.meta.dirname,
    })
    return status === 0 ? '' : `${stdout}${stderr}`
  }

  test('promtool finds nothing wrong with the metrics', async () => {
    const attempts = { [WEB]: { count: 2, reason: 'full', retryAt: '2026-11-22T05:32:00.000Z' } }
    const open = { slot: '2026-11-22T05:00:00.000Z', attempts }
    const facts = factsWith(
      {
        hourly: { [WEB]: { taken: pairAt('05:00:12') }, 'main/default/a"\\b': { taken: pairAt('05:00:12') } },
      },
      { uncovered: { 'main/default': 'a b' } },
    )
    const ledger = {
      ...{ config: 'v1', wakeAt: '2026-11-22T06:00:00.000Z', written: '2026-11-22T05:29:00.000Z', runs: [] },
      policies: { hourly: { accounted: '2026-11-22T05:00:00.000Z', open, slots: [] } },
      work: {
        [`copy ${WEB}>backup/default/web`]: {
          state: 'running' as const,
          attempts: 1,
          at: '2026-11-22T05:00:00.000Z',
        },
      },
    }
    expect(promtool(['check', 'metrics'], await scrape({ facts, ledger }, 'text/plain'))).toBe('')
  })

  test('promtool accepts the alert rules, and they fire when they should and not else', () => {
    expect(promtool(['check', 'rules', ALERTS])).toBe('')
    expect(promtool(['test', 'rules', 'alerts.yml'])).toBe('')
  })

  test('promtool can read each query of the dashboard', () => {
    const rules = dashboard.panels
      .flatMap(({ targets }) => targets)
      .map(({ expr }, at) => ({ record: `panel:${at}`, expr }))
    const folder = mkdtempSync(join(tmpdir(), 'stapes-dashboard-'))
    try {
      const file = join(folder, 'rules.json')
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
      expect(promtool(['check', 'rules', file])).toBe('')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
