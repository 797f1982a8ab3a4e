/** Metrics of a Worker in a state that a test describes. */
import { answerMetrics } from '../../../functions/api/metrics.ts'
import type { StoredConfig } from '../../../functions/state/config.ts'
import { emptyLedger, type Ledger } from '../../../shared/ledger/ledger.ts'
import type { Facts } from '../../../shared/promise/facts.ts'
import { configOf } from '../policy/instances.ts'

export const NOW = new Date('2026-11-22T05:30:00Z')
export const WEB = 'main/default/web'

export const stored = (policies: Record<string, object>): StoredConfig => ({
  ...{ version: 'v1', appliedAt: '2026-11-22T03:00:00.000Z', document: {} },
  config: configOf(policies),
})

export const ledgerWith = (more: Partial<Ledger> = {}): Ledger => ({
  ...emptyLedger('v1'),
  ...{ wakeAt: '2026-11-22T06:00:00.000Z', written: '2026-11-22T05:29:00.000Z' },
  ...more,
})

export const pairAt = (
  time: string,
  name = `hourly-20261122T${time.slice(0, 5).replace(':', '')}Z`,
): string => `${name}@${Date.parse(`2026-11-22T${time}Z`) / 1000}`

export const factsWith = (subjects: Facts['subjects'], more: Partial<Facts> = {}): Facts => ({
  ...{ at: '2026-11-22T05:29:00.000Z', subjects },
  ...more,
})

type Given = { config?: StoredConfig | null; ledger?: Ledger | null; facts?: Facts | null }

export const HOURLY = stored({ hourly: { schedule: '@hourly', copy: { remote: 'backup' } } })

/** What the Worker answers to a scraper. */
export const scrape = (
  { config = HOURLY, ledger = ledgerWith(), facts = factsWith({}) }: Given,
  accept?: string,
): Promise<string> =>
  answerMetrics({ stored: config, problems: [] }, { ledger, lost: [], facts }, accept, NOW).text()
