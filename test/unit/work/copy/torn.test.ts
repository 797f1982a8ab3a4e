/** Which snapshots of a copy are removed because Incus has them on record without a volume. */

import { expect, test } from 'vitest'
import type { SnapshotPair } from '../../../../shared/incus/inventory.ts'
import { emptyLedger } from '../../../../shared/ledger/ledger.ts'
import { decide } from '../../../../shared/plan/decide.ts'
import { coverInstances } from '../../../../shared/policy/coverage.ts'
import type { CopyWork } from '../../../../shared/work/copy/entry.ts'
import { copiesAs } from '../../../long-work.ts'
import { INSTALLATION, parseWorld, SERVER } from '../../plan/world-text.ts'
import { configOf } from '../../policy/instances.ts'

const NOW = '2026-11-22T04:00:00.000Z'
const KEY = 'main/default/web1>backup/default/web1'
const OLD = 'daily-20261121T0300Z'
const NEW = 'daily-20261122T0300Z'
const at = (name: string): number =>
  Date.parse(name === OLD ? '2026-11-21T03:00Z' : '2026-11-22T03:00Z') / 1000

/** What is removed of a copy of which both snapshots are torn. `marks`: those of the copy. `more`: torn as well. */
function removedOf(
  marks: string,
  known: Partial<CopyWork> = {},
  status = 'stopped',
  more?: SnapshotPair,
  onSource = '',
): string[] {
  const replica = `user.stapes.replica-of=main/default/web1 user.stapes.replica-of.server=${SERVER}`
  const world = parseWorld(
    `main:default/web1 running\n  ${OLD}\n  ${NEW}${onSource}\nbackup:default/web1 ${status} ${replica} ${marks}\n  ?`,
  )
  const copy = world.find({ remote: 'backup', project: 'default', instance: 'web1' })
  if (copy !== undefined) {
    const both = [OLD, NEW].map((name): SnapshotPair => [name, at(name)])
    copy.torn = more === undefined ? both : [...both, more]
  }
  const ledger = { state: 'failed', attempts: 1, at: NOW, ...known } as const
  const { actions } = decide({
    installation: INSTALLATION,
    coverages: coverInstances(
      configOf({ daily: { schedule: '0 3 * * *', copy: { remote: 'backup' } } }),
      world.remotes,
    ),
    world,
    ledger: {
      ...emptyLedger('v'),
      policies: { daily: { accounted: NOW, open: null, slots: [] } },
      work: copiesAs({ [KEY]: ledger }),
    },
    now: new Date(NOW),
  })
  return actions.flatMap((action) => (action.kind === 'expire' ? [action.snapshot] : []))
}

const UNFINISHED = `user.stapes.copying=${NEW}#0,${at(OLD)}`

test('what came by a transfer that was never verified is', () => {
  expect(removedOf(`user.stapes.verified=${OLD}@${at(OLD)} ${UNFINISHED}`)).toEqual([NEW])
  expect(removedOf(`user.stapes.copying=${OLD}#0,0`)).toEqual([OLD, NEW])
})

test('what was verified never is, whoever remembers it', () => {
  expect(removedOf(`user.stapes.verified=${OLD}@${at(OLD)},${NEW}@${at(NEW)} ${UNFINISHED}`)).toEqual([])
  expect(removedOf(`user.stapes.verified=${OLD}@${at(OLD)}`)).toEqual([])
  const verified = `${OLD}@${at(OLD)}`
  expect(removedOf(`user.stapes.copying=${NEW}#0,${at(OLD)}`, { verified })).toEqual([NEW])
})

test('what somebody made on the copy since is not, unless the source has it too', () => {
  expect(removedOf(UNFINISHED, {}, 'stopped', ['mine', at(NEW) + 60])).toEqual([NEW])
  const shared = '\n  mine @2026-11-22T03:01Z'
  expect(removedOf(UNFINISHED, {}, 'stopped', ['mine', at(NEW) + 60], shared)).toEqual([NEW, 'mine'])
})

test('nothing is of a copy that is not ours, or is in use, or before its next try', () => {
  expect(removedOf(`${UNFINISHED} user.stapes.owner=1.x.other`)).toEqual([])
  expect(removedOf(UNFINISHED, {}, 'running')).toEqual([])
  expect(removedOf(UNFINISHED, { retryAt: '2026-11-22T04:10:00.000Z' })).toEqual([])
  expect(removedOf(UNFINISHED)).toEqual([NEW])
})

const GONE = 'daily-20261120T0300Z'
const WENT = Date.parse('2026-11-20T03:00Z') / 1000
const VERIFIED = `user.stapes.verified=${GONE}@${WENT},${OLD}@${at(OLD)}`

test('what a refresh was removing when the server was killed is, for the source no longer has it', () => {
  const torn: SnapshotPair = [GONE, WENT]
  expect(removedOf(`${VERIFIED} ${UNFINISHED}`, {}, 'stopped', torn)).toEqual([NEW, GONE])
  const verified = `${GONE}@${WENT}`
  const marks = `user.stapes.verified=${OLD}@${at(OLD)} ${UNFINISHED}`
  expect(removedOf(marks, { verified }, 'stopped', torn)).toEqual([NEW, GONE])
})

test('of the same what no refresh was removing is left to a person', () => {
  const torn: SnapshotPair = [GONE, WENT]
  // No transfer was under way.
  expect(removedOf(VERIFIED, {}, 'stopped', torn)).toEqual([])
  expect(removedOf(`${VERIFIED} user.stapes.copying=rest,9999999999`, {}, 'stopped', torn)).toEqual([])
  // It was never verified, and the source doesn't have it.
  expect(removedOf(`user.stapes.verified=${OLD}@${at(OLD)} ${UNFINISHED}`, {}, 'stopped', torn)).toEqual([
    NEW,
  ])
  // The source still has it, or another one of its name.
  expect(removedOf(`${VERIFIED} ${UNFINISHED}`, {}, 'stopped', torn, `\n  ${GONE}`)).toEqual([NEW])
  const another = `\n  ${GONE} @2026-11-20T03:05Z`
  expect(removedOf(`${VERIFIED} ${UNFINISHED}`, {}, 'stopped', torn, another)).toEqual([NEW])
  // The source was rolled back: it lost what was verified last.
  const later = `${VERIFIED},daily-20261121T1500Z@${at(OLD) + 43_200}`
  expect(removedOf(`${later} ${UNFINISHED}`, {}, 'stopped', torn)).toEqual([NEW])
})

test('what the copy’s own keep was removing when the server was killed is, as long as the source has it', () => {
  const verified = `user.stapes.verified=${OLD}@${at(OLD)}`
  const torn: SnapshotPair = [GONE, WENT]
  expect(removedOf(verified, {}, 'stopped', torn, `\n  ${GONE}`)).toEqual([GONE])
  expect(removedOf(verified, {}, 'stopped', torn, `\n  ${GONE} @2026-11-20T03:05Z`)).toEqual([])
  expect(removedOf(verified, {}, 'stopped', ['mine', WENT], '\n  mine @2026-11-20T03:00Z')).toEqual([])
  expect(removedOf('', {}, 'stopped', torn, `\n  ${GONE}`)).toEqual([])
})
