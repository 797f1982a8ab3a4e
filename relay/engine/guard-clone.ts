/** Reasons not to change a new instance that has the relay's own mark, because it isn't finished. */
import type { Making } from '../../shared/work/clone/mark.ts'
import { isUnused } from './making.ts'

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
