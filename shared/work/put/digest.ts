/** Files that are restored, in a plan's digest, without the safety snapshot's name until it is taken, as that depends on the clock. */
import { subjectKey } from '../../incus/subject.ts'
import type { PutAction } from './action.ts'

export const putEssence = ({ ref, from, snapshot, path, safety }: PutAction): string =>
  [
    'put',
    subjectKey(ref),
    subjectKey(from),
    snapshot,
    path,
    safety.taken ? safety.name : 'safety first',
  ].join(' ')
