/** How a removal reads, and its undoing. */
import { instanceOf, subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { ExpireAction, ProlongAction, UndoAction } from './action.ts'

export function expireLine({ ref, snapshot, end, reason }: ExpireAction): Line {
  const about = subjectKey(ref)
  const later = end === undefined ? '' : `; ${untilText(about, snapshot, end)}`
  return { about, sign: '-', what: snapshot, reason: `${reason}${later}` }
}

/** What becomes of one that somebody removed. */
export const untilText = (key: string, snapshot: string, end: string): string =>
  `Incus removes it on ${end}, until then /backup undo ${instanceOf(key).instance} ${snapshot} takes that back`

export const undoLine = ({ ref, snapshot, reason }: UndoAction): Line => ({
  about: subjectKey(ref),
  sign: '#',
  counts: 'undo',
  what: snapshot,
  reason,
})

export const prolongLine = ({ ref, snapshot, end, reason }: ProlongAction): Line => ({
  about: subjectKey(ref),
  sign: '#',
  counts: 'prolong',
  what: snapshot,
  reason: `${end === null ? 'Incus no longer removes it by itself' : `Incus removes it on ${end}`}; ${reason}`,
})
