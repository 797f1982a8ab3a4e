/** Storage drivers that put back only the newest snapshot: the safety snapshot, which is newer, would be lost. */
import type { Found } from './find.ts'
import type { Refusal } from './plan.ts'
import type { World } from './world.ts'

const NEWEST_ONLY = ['zfs', 'linstor', 'truenas']

export function refuseDriver(
  { key, ref, record, snapshots }: Found,
  snapshot: string,
  world: World,
): Refusal | null {
  const reply = world.remotes[ref.remote]
  const driver = reply?.ok === true ? reply.inventory.pools[record.pool] : undefined
  const wayOut = `copy the snapshot to an instance of its own: incus copy ${ref.instance}/${snapshot} ${ref.instance}-restored`
  if (driver === undefined) {
    const reason = `the driver of pool "${record.pool}" on ${ref.remote} is not known, so whether ${key} would lose its newer snapshots isn't either: let the relay's certificate see the pool, or ${wayOut}`
    return { code: 'driver', reason }
  }
  if (!NEWEST_ONLY.includes(driver)) return null
  const created = snapshots.find(([name]) => name === snapshot)?.[1] ?? 0
  const newer = snapshots.filter(([name, at]) => at > created && name !== snapshot).map(([name]) => name)
  const lost = [...newer, 'the one taken before the restore'].join(', ')
  const reason = `${driver} puts back only the newest snapshot, so ${key} would lose the newer ones: ${lost}. Instead ${wayOut}`
  return { code: 'driver', reason }
}
