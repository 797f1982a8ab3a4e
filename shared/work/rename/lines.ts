/** How a new name or description reads. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { DescribeAction, RenameAction } from './action.ts'

export const renameLine = ({ ref, snapshot, to, reason }: RenameAction): Line => ({
  ...{ about: subjectKey(ref), sign: '#', counts: 'rename', what: snapshot },
  reason: `is called ${to} from now on; ${reason}`,
})

export const describeLine = ({ ref, snapshot, text, reason }: DescribeAction): Line => ({
  ...{ about: subjectKey(ref), sign: '#', counts: 'describe', what: snapshot },
  reason: `${text === '' ? 'has no description from now on' : `"${text}"`}; ${reason}`,
})
