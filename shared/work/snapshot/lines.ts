/** How a snapshot reads. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { SnapshotAction } from './action.ts'

export function snapshotLine({ ref, name, expiresAt, standstill, reason }: SnapshotAction): Line {
  const expiry = expiresAt === null ? '' : `, Incus expires it at ${expiresAt}`
  const stillness = standstill === null ? '' : `; ${standstill}`
  return { about: subjectKey(ref), sign: '+', what: name, reason: `${reason}${expiry}${stillness}` }
}
