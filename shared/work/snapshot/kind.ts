/** Snapshots of instances, by schedule and on request. */
import { subjectKey } from '../../incus/subject.ts'
import type { Kind } from '../kind.ts'
import type { GroupAction, SnapshotAction } from './action.ts'
import { groupEssence, snapshotEssence } from './digest.ts'
import { guardSnapshots } from './guard.ts'
import { groupLine, snapshotLine } from './lines.ts'
import { recordSlots } from './record.ts'
import { requestSnapshots, type SnapshotRequest } from './request.ts'
import { planSlots } from './schedule.ts'
import { simulateGroup, simulateSnapshot, snapshotEnds } from './simulate.ts'
import { takeGroupSteps, takeSteps } from './steps.ts'

const groupSubject = ({ parts: [first] }: GroupAction): string =>
  first === undefined ? '' : subjectKey(first.ref)

export const snapshot: Kind<SnapshotAction | GroupAction, SnapshotRequest> = {
  name: 'snapshot',
  verbs: {
    snapshot: {
      subject: ({ ref }) => subjectKey(ref),
      line: snapshotLine,
      essence: snapshotEssence,
      steps: takeSteps,
      first: true,
      // It replaces a snapshot, so no copy and no other tick may run in between.
      locks: ({ again }) => again,
      freezes: ({ standstill, name }) => (standstill === null ? null : `its snapshot ${name}`),
      simulate: simulateSnapshot,
      counts: { name: 'taken', noun: ['snapshot', 'snapshots'], did: 'taken' },
    },
    'snapshot-group': {
      subject: groupSubject,
      parts: ({ parts }) => parts,
      line: groupLine,
      lines: ({ parts }) => parts.map(snapshotLine),
      essence: groupEssence,
      steps: takeGroupSteps,
      first: true,
      locks: ({ parts }) => parts.some(({ again }) => again),
      simulate: simulateGroup,
    },
  },
  tallies: [{ sign: '+', will: 'takes', did: 'took', one: 'snapshot' }],
  schedule: { stage: 'take', plan: planSlots },
  guard: guardSnapshots,
  requests: { snapshot: requestSnapshots },
  record: recordSlots,
  ends: snapshotEnds,
}
