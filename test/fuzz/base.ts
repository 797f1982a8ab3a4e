/** Valid calls of the Worker to the relay, from which the hostile ones with a valid signature are made. */
import type { ExamRequest } from '../../shared/relay/exam.ts'
import type { BatchRequest, FilesRequest, InventoryRequest } from '../../shared/relay/protocol.ts'
import type { Sending, Step } from '../../shared/relay/steps.ts'

const main = { remote: 'main', project: 'default', instance: 'web' }
const backup = { ...main, remote: 'backup' }
/** The newest of both, verified on the copy. */
const newest = 'daily-20261120T0015Z'
const soon = '2026-11-20T00:25:00Z'

/** A copy from the backup server onto the source. */
const backwards: Sending = {
  ...{ source: backup, target: main, transferMode: 'pull', pool: 'default', member: null },
  ...{ first: false, startOver: true, unverified: [newest], owner: 'x', listed: [], unfinished: null },
  transfer: { id: 'x', from: 0, names: [] },
  ...{
    verified: [],
    lasting: [],
    mirrored: [newest],
    excludeOlder: true,
    sourceServer: '',
    inconsistent: true,
  },
  extended: {},
}

const STEPS: readonly Step[] = [
  { do: 'take', ref: main, snapshot: 'daily-20261120T0300Z', stateful: false, expiresAt: null },
  { do: 'take', ref: backup, snapshot: newest, stateful: false, expiresAt: soon, again: true },
  { do: 'expire', ref: main, snapshot: 'mine' },
  { do: 'postpone', ref: main, snapshot: newest, expiresAt: soon },
  { do: 'expire', ref: backup, snapshot: newest },
  { do: 'set-expiry', ref: backup, snapshot: newest, expiresAt: soon },
  { do: 'hold', ref: main, snapshot: newest, note: 'n' },
  { do: 'rename', ref: main, snapshot: newest, to: 'manual-20261120T0010Z', createdAt: null },
  { do: 'rename', ref: backup, snapshot: newest, to: 'gold', createdAt: 0 },
  { do: 'describe', ref: backup, snapshot: newest, text: 'n' },
  { do: 'schedule', ref: backup, config: { 'snapshots.schedule': '* * * * *' }, was: '' },
  { do: 'start', ref: backup },
  { do: 'thaw', ref: backup },
  { do: 'end-restore', ref: backup, safeties: ['before-restore-20261120T0010Z'] },
  {
    ...{ do: 'restore', ref: backup, snapshot: newest, partial: newest, restored: true, running: true },
    safety: { name: 'before-restore-20261120T0010Z', expiresAt: null, taken: true },
    ...{ stateful: false, holds: { 'user.stapes.hold.x': 'n' }, held: [newest], expiresAt: soon },
  },
  { do: 'copy', ...backwards },
  { do: 'copy', ...backwards, source: main, target: { ...backup, instance: 'made' }, first: true },
  { do: 'check-copy', ...backwards, rules: { restricted: 'true' } },
  {
    ...{ do: 'verify', source: main, target: backup, marks: [], rest: [], restore: [] },
    ...{ expiries: [{ snapshot: newest, expiresAt: soon }], protect: false, owner: 'x' },
  },
  { do: 'read-snapshots', ref: main },
  { do: 'read-exports', ref: main, store: 'nas', name: null },
  { do: 'check-export', ref: main, store: 'nas', name: '20261120T002500Z' },
  { do: 'survey-exports', ref: main, store: 'nas' },
  { do: 'expire-export', ref: main, store: 'nas', name: '20261120T002500Z', policy: 'p', owner: '1.n.k' },
  {
    do: 'note-export',
    ref: main,
    store: 'nas',
    name: '20261120T002500Z',
    note: { do: 'remove', end: soon, last: true },
  },
  { do: 'drop-export', ref: main, store: 'nas', name: '20261120T002500Z' },
  // Each is refused for several reasons: no one change of it makes one that is allowed.
  ...[main, backup].map(
    (ref): Step => ({
      ...{ do: 'put', ref, from: backup, snapshot: newest, path: '/marker' },
      safety: { name: newest, expiresAt: soon, taken: true },
    }),
  ),
  { do: 'export', ref: backup, snapshot: newest, store: 'nas', name: '20261120T002500Z', optimized: false },
]

/** The last one is detached. However they are changed, no copy loses anything, and no instance changes. */
export const BATCH: BatchRequest = {
  jobs: STEPS.map((step, at) => ({
    ...{ id: `j${at}`, lock: `l${at}`, steps: [step] },
    ...(at < STEPS.length - 1 ? {} : { detach: true, family: 'f', memo: { a: 1 }, after: 'j0' }),
  })),
  record: 'somebody requests something',
}

export const FILES: readonly FilesRequest[] = [
  { do: 'list', ref: main, snapshot: newest, path: '/', skip: 0, limit: 10, within: 20_000 },
  { do: 'get', ref: main, snapshot: newest, path: '/marker', record: 'somebody reads something' },
  { do: 'get', ref: backup, snapshot: newest, path: '/' },
]

export const EXAM: ExamRequest = {
  remotes: { main: { pools: ['default'], projects: ['default'] } },
  ways: [{ from: main, snapshot: newest, to: 'backup' }],
}

export const INVENTORY: InventoryRequest = {
  remotes: ['main', 'backup'],
  config: ['user.tier'],
  adopt: [{ id: 'x', remote: 'main', operation: 'op', lock: 'l', family: 'f', memo: {} }],
}
