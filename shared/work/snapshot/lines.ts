/** How a snapshot reads. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { GroupAction, SnapshotAction } from './action.ts'

export function snapshotLine({ ref, name, expiresAt, standstill, as, reason }: SnapshotAction): Line {
  const expiry = expiresAt === null ? '' : `, Incus expires it at ${expiresAt}`
  const stillness = standstill === null ? '' : `; ${standstill}`
  const aside = as?.aside == null ? '' : `; the one that is called so now stays, as ${as.aside.name}`
  const what = as?.name ?? name
  return { about: subjectKey(ref), sign: '+', what, reason: `${reason}${expiry}${stillness}${aside}` }
}

/** Where one line has to stand for all of it. */
export const groupLine = ({ name, parts, reason }: GroupAction): Line => ({
  about: parts.map(({ ref }) => subjectKey(ref)).join(' + '),
  sign: '+',
  what: name,
  reason,
})
