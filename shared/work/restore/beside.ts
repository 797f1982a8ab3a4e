/** The restore of another volume that keeps what was stopped for this one from being started: the relay starts nothing on half of a volume. */
import { subjectKey, volumeIn } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { own } from '../../own.ts'
import type { World } from '../../plan/world.ts'
import { isLive } from '../life.ts'
import { isEnded, type Known, knownRestore } from './known.ts'
import { wholeSafeties } from './safety.ts'

/** In words; null: none. One that was given up keeps nobody waiting: somebody has to ask for it again. */
export function restoringBeside(
  { ref, entry: { users = [] } }: Known,
  world: World,
  ledger: Ledger,
  now: Date,
): string | null {
  const reply = own(world.remotes, ref.remote)
  if (volumeIn(ref.instance) === null || reply?.ok !== true) return null
  for (const { type, project, name, users: paths = [] } of reply.inventory.instances) {
    const user = users.find((one) => paths.includes(`${ref.project}/${one}`))
    if (type !== 'volume' || name === ref.instance || user === undefined) continue
    const key = subjectKey({ remote: ref.remote, project, instance: name })
    const other = knownRestore(key, world, ledger, now)
    if (other !== null && keepsWaiting(other)) return `${user} uses ${key}, whose restore has not ended`
  }
  return null
}

const keepsWaiting = ({ entry, record, report }: Known): boolean =>
  !isEnded(entry) && (isLive(report) || record === undefined || !wholeSafeties(record).includes(entry.safety))
