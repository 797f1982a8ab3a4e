/** What is said of files that were restored, or could not be: of them, and of the state before, what is known, and no more. */
import { expect, test } from 'vitest'
import { emptyLedger } from '../../../../shared/ledger/ledger.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import { linesOf } from '../../../../shared/plan/lines.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { JobReport } from '../../../../shared/relay/protocol.ts'
import type { PutWork } from '../../../../shared/work/put/entry.ts'
import { INSTALLATION, parseWorld } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'

const NOW = '2026-11-22T10:20:00.000Z'
const KEY = 'main/default/web1'
const SNAPSHOT = 'daily-20261121T0300Z'
const SAFETY = 'before-restore-20261122T1017Z'
const JOB = `put ${KEY}:${SAFETY}#0`
const PUTTING = `user.stapes.putting=${SAFETY},${SNAPSHOT},sealed`

const entry: PutWork = {
  ...{ state: 'started', from: KEY, snapshot: SNAPSHOT, path: '/etc', safety: SAFETY, job: JOB },
  ...{ attempts: 0, at: '2026-11-22T10:17:00.000Z' },
}

const error = { code: 'bad-request', message: 'it has no /etc' } as const

function told(marks: string, snapshots: string, report: Partial<JobReport> = { state: 'failed', error }) {
  const world = parseWorld(`main:default/web1 running ${marks}\n  ${snapshots}`)
  const job: JobReport = { id: JOB, state: 'done', since: NOW, ...report }
  const policies = { daily: { accounted: NOW, since: NOW, open: null, slots: [] } }
  const plan = decide({
    installation: INSTALLATION,
    coverages: coverInstances(configOf({ daily: { schedule: '0 3 * * *' } }), world.remotes),
    world: { ...world, jobs: [job] },
    ledger: { ...emptyLedger('v'), policies, work: { [`put ${KEY}`]: entry } },
    now: new Date(NOW),
  })
  return linesOf(plan)
    .map(({ reason }) => reason)
    .join('\n')
}

test.each([
  ['nothing of it is restored', '', SNAPSHOT, 'nothing was changed'],
  ['a part may be', PUTTING, `${SNAPSHOT}\n  ${SAFETY}`, `the state before is in ${SAFETY}`],
  ['a part may be, and the state before is gone', PUTTING, SNAPSHOT, `kept in ${SAFETY}, which is gone`],
  ['a part may be, and nothing can be listed', PUTTING, '?', `whether that is still there could not be read`],
])('%s', (_, marks, snapshots, text) => {
  expect(told(marks, snapshots)).toContain(text)
})

test('the success of what a restarted relay has adopted, as of the safety snapshot, says nothing of files', () => {
  const both = `${SNAPSHOT}\n  ${SAFETY}`
  expect(told('', both, { state: 'done' })).toContain('the relay or Incus was restarted')
  expect(told('', both, { state: 'done' })).not.toContain('was restored')
  expect(told('', both, { state: 'done', progress: '4 files are restored' })).toContain(
    'was restored: 4 files',
  )
  expect(told(`user.stapes.restored=${SAFETY}`, both, { state: 'done' })).toContain('was restored')
})
