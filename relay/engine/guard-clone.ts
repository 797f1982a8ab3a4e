/** Reasons not to change a new instance that has the relay's own mark, because it isn't finished. */
import type { Match } from '../../shared/incus/routes.ts'
import { SINCE } from '../../shared/policy/marks.ts'
import type { Making } from '../../shared/work/clone/mark.ts'
import { text } from './envelope.ts'
import { isAttached } from './guard-copy.ts'
import { isUnused } from './making.ts'
import { restoresSubject } from './subject-requests.ts'

/** `used`: how somebody uses it. `restored`: the snapshot that a restore names. Null: it may be done. */
function against(
  { snapshot, whole, made }: Making,
  used: string | null,
  restored: string | null,
): string | null {
  if (made) return 'it is whole'
  if (used !== null) return used
  if (restored === null || (whole && restored === snapshot)) return null
  return `its mark doesn’t name the snapshot ${restored}`
}

/** `restored`: the snapshot that the request names, if it restores one. */
export const againstMaking = (
  name: string,
  instance: Record<string, unknown>,
  mark: Making,
  restored: string,
): string | null =>
  against(mark, isUnused(instance) ? null : 'somebody uses it', name === 'restoreInstance' ? restored : null)

/** The same of a volume, which nothing uses as long as it isn't attached. */
export const againstVolumeMaking = (
  match: Match,
  volume: Record<string, unknown>,
  mark: Making,
  restored: string,
): string | null =>
  against(mark, isAttached(volume) ? 'it is attached' : null, restoresSubject(match) ? restored : null)

/** Milliseconds. Whether somebody uses a bucket isn't known, so one that stands half made for longer is left to people. */
const DAY = 86_400_000

/** `config`: its own. A new bucket has the date on it at which its import began. */
export function againstBucketMaking(
  mark: Making | null,
  config: Record<string, unknown>,
  now: number,
): string | null {
  if (mark === null) return 'it was not made by this relay just now'
  if (mark.made) return 'it is whole'
  return now - Date.parse(text(config[SINCE])) < DAY
    ? null
    : 'its import was interrupted more than a day ago, and somebody may use it: if nobody does, delete it'
}
