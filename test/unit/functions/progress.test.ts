/** What `GET /api/progress` says of the relay's jobs. */
import { expect, test } from 'vitest'
import { progressOf } from '../../../functions/api/answer-progress.ts'
import { progress as schema } from '../../../functions/api/answers.ts'
import type { JobReport } from '../../../shared/relay/protocol.ts'

const since = '2026-11-22T12:00:00.000Z'
const report = (id: string, more: Partial<JobReport> = {}): JobReport => ({
  ...{ id, state: 'running', since },
  ...more,
})

test('what runs or waits has bytes, rate and percent where they are known; what has ended is left out', () => {
  const told = progressOf(
    [
      report('export main/default/web:20261122T120000Z#0', { progress: 'export (45 %): 1.50GB (2.00MB/s)' }),
      report('put main/default/web:s#0', { progress: '12 files, 3 folders' }),
      report('clone main/default/new:x#0', { state: 'queued' }),
      report('clone main/default/old:x#0', { state: 'done' }),
    ],
    new Date(since),
  )
  expect(schema.safeParse(told).success).toBe(true)
  expect(told.work).toMatchObject([
    { kind: 'exports', key: 'main/default/web', bytes: 1.5e9, bytesPerSecond: 2e6, percent: 45 },
    { kind: 'puts', state: 'running', progress: '12 files, 3 folders' },
    { kind: 'clones', key: 'main/default/new', state: 'queued' },
  ])
})
