/** What a summary says was done is what was done: each kind of work in its own words. */
import { expect, test } from 'vitest'
import { tallyOf } from '../../../shared/chat/tally.ts'
import { linesOf } from '../../../shared/plan/lines.ts'
import type { CheckAction } from '../../../shared/work/check/action.ts'
import type { FinishAction, RemoveAction } from '../../../shared/work/clone/action.ts'
import type { PermitAction } from '../../../shared/work/copy/action.ts'
import { type Action, KINDS } from '../../../shared/work/kinds.ts'
import type { UndoAction as EndRestoreAction, StartAction } from '../../../shared/work/restore/action.ts'
import type { ExpireAction, UndoAction } from '../../../shared/work/retention/action.ts'
import type { ThawAction } from '../../../shared/work/thaw/action.ts'

const ref = { remote: 'main', project: 'default', instance: 'web1' }
const one = { ref, reason: 'asked for' }
const snapshot = 'daily-20261122T0300Z'

const expire: ExpireAction = {
  kind: 'expire',
  ...one,
  policy: 'daily',
  snapshot,
  createdAt: 0,
} as ExpireAction
const unexpire = { kind: 'unexpire', ...one, snapshot } as UndoAction
const check = { kind: 'check', ...one, store: 'nas', name: null } as CheckAction
const finish: FinishAction = { kind: 'finish-clone', ...one, start: false }
const remove: RemoveAction = { kind: 'remove-clone', ...one }
const start: StartAction = { kind: 'start', ...one }
const end: EndRestoreAction = { kind: 'undo', ...one, safeties: [], start: false }
const thaw = { kind: 'thaw', ...one } as ThawAction
const permit = {
  ...{ kind: 'permit', source: ref, target: ref, reason: 'asked for', until: null },
  snapshots: [[snapshot, 0]],
} as unknown as PermitAction

const said = (action: Action): string[] => {
  const lines = linesOf({ actions: [action], notes: [] } as unknown as Parameters<typeof linesOf>[0])
  return [tallyOf(lines, 'will'), tallyOf(lines, 'did')]
}

test.each<[Action, string, string]>([
  [expire, 'expires 1 snapshot', 'expired 1 snapshot'],
  [unexpire, 'takes back 1 removal', 'took back 1 removal'],
  [check, 'starts 1 check', 'started 1 check'],
  [finish, 'finishes 1 new instance', 'finished 1 new instance'],
  [remove, 'removes 1 half-made instance', 'removed 1 half-made instance'],
  [start, 'starts 1 instance', 'started 1 instance'],
  [end, 'ends 1 refused restore', 'ended 1 refused restore'],
  [thaw, 'thaws 1 instance', 'thawed 1 instance'],
  [permit, 'removes 1 snapshot on a copy', 'removed 1 snapshot on a copy'],
])('$0.kind', (action, will, did) => {
  expect(said(action)).toEqual([will, did])
})

test('no two tallies count the same lines', () => {
  const tallies = KINDS.flatMap((kind) => kind.tallies ?? [])
  const keys = tallies.map(({ sign, name = '' }) => `${sign} ${name}`)
  expect(new Set(keys).size).toBe(keys.length)
})
