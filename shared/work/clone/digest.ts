/** A new instance in a plan's digest: all that decides what is made, and where. */
import { subjectKey } from '../../incus/subject.ts'
import type { CloneAction } from './action.ts'

export const cloneEssence = ({ from, snapshot, to, whole, start, pool }: CloneAction): string =>
  ['clone', subjectKey(to), subjectKey(from), snapshot, whole, start, pool ?? ''].join(' ')
