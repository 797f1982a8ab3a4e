/** What a snapshot comes to in a digest: its name moves with the clock, its policy doesn't. */
import { subjectKey } from '../../incus/subject.ts'
import type { SnapshotAction } from './action.ts'

export const snapshotEssence = ({ ref, policy }: SnapshotAction): string =>
  `snapshot ${subjectKey(ref)} ${policy}`
