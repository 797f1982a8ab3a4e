/** Whether a snapshot can be restored as it is wanted: Incus finds out only after it has replaced the disk. */
import { expiresAtOf } from '../../shared/incus/source.ts'
import type { Restoring } from '../../shared/work/restore/mark.ts'
import { isObject, text } from './envelope.ts'

const HOUR = 3_600_000

/** `rows` as the instance's snapshots are listed. Null: nothing speaks against it. */
export function againstSnapshot(
  rows: readonly unknown[],
  { snapshot, stateful, taken }: Pick<Restoring, 'snapshot' | 'stateful' | 'taken'>,
  now: number,
): string | null {
  const row = rows.find((one) => isObject(one) && one.name === snapshot)
  if (!isObject(row)) return `its snapshot ${snapshot} doesn’t exist`
  if (stateful && row.stateful !== true)
    return `${snapshot} was taken without the memory, and Incus would restore the disk and then leave it stopped: restore it without "stateful"`
  // Taking the safety snapshot may be long work, and so may the restore: what goes meanwhile is called a success.
  const until = expiresAtOf(text(row.expires_at))
  return until !== null && until.getTime() < now + (taken ? HOUR : 12 * HOUR)
    ? `Incus removes ${snapshot} at ${until.toISOString()}, perhaps in the midst of it: hold it first`
    : null
}
