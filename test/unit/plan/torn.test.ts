/** Which snapshots of a copy are removed because Incus has them on record without a volume. */
import { expect, test } from 'vitest'
import type { SnapshotPair } from '../../../shared/incus/inventory.ts'
import { type CopyLedger, emptyLedger } from '../../../shared/ledger/ledger.ts'
import { decide } from '../../../shared/plan/decide.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import { configOf } from '../policy/instances.ts'
import { INSTALLATION, parseWorld, SERVER } from './world-text.ts'

const NOW = '2026-11-22T04:00:00.000Z'
const KEY = 'main/default/web1>backup/default/web1'
const OLD = 'daily-20261121T0300Z'
const NEW = 'daily-20261122T0300Z'
const at = (name: string): number =>
  Date.parse(name === OLD ? '2026-11-21T03:00Z' : '2026-11-22T03:00Z') / 1000

/** What is removed of a copy of which both snapshots are torn. `marks`: those of the copy. `more`: torn as well. */
function removedOf(
  marks: string,
  known: Partial<CopyLedger> = {},
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
      copies: { [KEY]: ledger },
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
