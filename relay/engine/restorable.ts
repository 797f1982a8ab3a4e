/** Whether a snapshot can be restored as requested: Incus finds out only after it has replaced the disk. */
import { expiresAtOf } from '../../shared/incus/source.ts'
import type { Restoring } from '../../shared/work/restore/mark.ts'
import { isObject, text } from './envelope.ts'

const HOUR = 3_600_000

/** `rows`: the instance's list of snapshots. Null: it can. */
export function againstSnapshot(
  rows: readonly unknown[],
  { snapshot, stateful, taken }: Pick<Restoring, 'snapshot' | 'stateful' | 'taken'>,
  now: number,
): string | null {
  const row = rows.find((one) => isObject(one) && one.name === snapshot)
  if (!isObject(row)) return `its snapshot ${snapshot} doesn’t exist`
  if (stateful && row.stateful !== true)
    return `${snapshot} was taken without the memory, so Incus would restore the disk and then leave the instance stopped: restore it without "stateful"`
  // Safety snapshot and restore may take long. If the snapshot expires meanwhile, Incus reports a success.
  const until = expiresAtOf(text(row.expires_at))
  return until !== null && until.getTime() < now + (taken ? HOUR : 12 * HOUR)
    ? `Incus expires ${snapshot} at ${until.toISOString()}, perhaps during the restore: hold it first`
    : null
}
