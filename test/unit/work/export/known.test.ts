/** Which exports are known not to have ended: each in its own store, also by the jobs of an earlier version. */
import { expect, test } from 'vitest'
import { emptyLedger } from '../../../../shared/ledger/ledger.ts'
import type { JobReport } from '../../../../shared/relay/protocol.ts'
import type { ExportWork } from '../../../../shared/work/export/entry.ts'
import { knownExports } from '../../../../shared/work/export/known.ts'

const NOW = new Date('2026-11-20T04:10:00Z')
const NAME = '20261120T040000Z'

const running = (id: string, store: string): JobReport => ({
  ...{ id, state: 'running', since: '2026-11-20T04:00:30Z' },
  memo: { store, snapshot: 's', name: NAME, optimized: false },
})

const entry = (store: string): ExportWork => ({
  ...{ state: 'started', store, snapshot: 's', name: NAME, job: 'j', attempts: 0 },
  at: '2026-11-20T04:00:30Z',
})

const known = (jobs: JobReport[], work: Record<string, ExportWork> = {}) =>
  knownExports({ jobs }, { ...emptyLedger('c'), work }, NOW)
    .map(({ place, isLive }) => `${place} ${isLive}`)
    .sort()

test.each([
  ['an instance', 'main/default/web'],
  ['a volume', 'main/default/default:data'],
])('of %s in two stores', (_, key) => {
  const jobs = [running(`export ${key}>r2:${NAME}#0`, 'r2')]
  expect(known(jobs, { [`export ${key}>nas`]: entry('nas') })).toEqual([`${key}>nas false`, `${key}>r2 true`])
})

test('a job that an earlier version called by the instance alone is that of its store', () => {
  const jobs = [running(`export main/default/web:${NAME}#0`, 'nas')]
  const work = { 'export main/default/web>nas': entry('nas'), 'export main/default/web>r2': entry('r2') }
  expect(known(jobs, work)).toEqual(['main/default/web>nas true', 'main/default/web>r2 false'])
  expect(known(jobs)).toEqual(['main/default/web>nas true'])
})
