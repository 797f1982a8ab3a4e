/** A snapshot in a plan's digest: by its policy, since its name depends on the clock. */
import { subjectKey } from '../../incus/subject.ts'
import type { GroupAction, SnapshotAction } from './action.ts'

export const snapshotEssence = ({ ref, policy, as }: SnapshotAction): string =>
  `snapshot ${subjectKey(ref)} ${policy}${as === undefined ? '' : ` ${as.name} ${as.aside?.name ?? ''}`}`

export const groupEssence = ({ parts, hook }: GroupAction): string =>
  [
    ...parts.map(snapshotEssence),
    ...(hook === undefined ? [] : [`hook ${hook.name} ${hook.otherwise}`]),
  ].join('\n')
