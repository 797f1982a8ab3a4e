/** A snapshot in a plan's digest: by its policy, since its name depends on the clock. */
import { subjectKey } from '../../incus/subject.ts'
import type { GroupAction, SnapshotAction } from './action.ts'

export const snapshotEssence = ({ ref, policy, as }: SnapshotAction): string =>
  `snapshot ${subjectKey(ref)} ${policy}${as === undefined ? '' : ` ${as.name} ${as.aside?.name ?? ''}`}`

export const groupEssence = ({ parts }: GroupAction): string => parts.map(snapshotEssence).join('\n')
