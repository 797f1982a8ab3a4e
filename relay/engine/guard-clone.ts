/** Reasons not to change a new instance that has the relay's own mark, because it isn't finished. */
import type { Match } from '../../shared/incus/routes.ts'
import type { Making } from '../../shared/work/clone/mark.ts'
import { isAttached } from './guard-copy.ts'
import { isUnused } from './making.ts'
import { restoresSubject } from './subject-requests.ts'

/** `restored`: the snapshot that a restore names. Null: it may be done. */
export function againstMaking(
  name: string,
  instance: Record<string, unknown>,
  { snapshot, whole, made }: Making,
  restored: string,
): string | null {
  if (made) return 'it is whole'
  if (!isUnused(instance)) return 'somebody uses it'
  if (name !== 'restoreInstance' || (whole && restored === snapshot)) return null
  return `its mark doesn’t name the snapshot ${restored}`
}

/** The same of a volume, which nothing uses as long as it isn't attached. */
export function againstVolumeMaking(
  match: Match,
  volume: Record<string, unknown>,
  { snapshot, whole, made }: Making,
  restored: string,
): string | null {
  if (made) return 'it is whole'
  if (isAttached(volume)) return 'it is attached'
  if (!restoresSubject(match) || (whole && restored === snapshot)) return null
  return `its mark doesn’t name the snapshot ${restored}`
}
