/**
 * Refuses a restore that the pool's driver can't do. Incus finds that out only after it has stopped the
 * instance, so it is checked before. The way out is always the same: a new instance beside it.
 */

import { compareAge } from '../../incus/snapshot-name.ts'
import { nounOf } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import type { Found } from '../../plan/find.ts'
import type { Refusal } from '../../plan/plan.ts'
import { restoresOn } from '../../plan/restoring.ts'
import type { World } from '../../plan/world.ts'

export function refuseDriver(found: Found, snapshot: string, world: World): Refusal | null {
  const why = whyNot(found, snapshot, world)
  if (why === null) return null
  const wayOut = `make a new instance of it beside this one, by which nothing is lost: /backup clone ${found.key} ${snapshot} --as=${found.ref.instance}-restored`
  return { code: 'driver', reason: `${why}${wayOut}` }
}

function whyNot({ key, ref, record, snapshots }: Found, snapshot: string, world: World): string | null {
  const reply = own(world.remotes, ref.remote)
  const { pools = {}, thick = [] } = reply?.ok === true ? reply.inventory : {}
  const driver = own(pools, record.pool)
  const pool = `pool "${record.pool}" on ${ref.remote}`
  if (driver === undefined)
    return `the driver of ${pool} is not known, so a restore might remove newer snapshots of ${key}: let the relay's certificate see the pool, or `
  const restores = restoresOn(driver, thick.includes(record.pool))
  if (restores === 'none')
    return `${pool} is lvm without a thin pool (lvm.use_thinpool=false). There, Incus fails to restore ${nounOf(ref) === 'volume' ? 'it' : 'the instance, after it has stopped it'}. Instead, `
  if (restores === 'any') return null
  if (restores === null)
    return `${pool} uses the driver ${driver}, and it is not known whether that keeps the newer snapshots of ${key}. Instead, `
  const wanted = snapshots.find(([name]) => name === snapshot)
  const newer = snapshots
    .filter((pair) => wanted === undefined || compareAge(pair, wanted) > 0)
    .map(([name]) => name)
  const lost = [...newer, 'the one taken before the restore'].join(', ')
  return `${driver} restores only the newest snapshot: Incus ${nounOf(ref) === 'volume' ? '' : `stops ${key} and `}refuses or, with zfs.remove_snapshots, removes the newer ones: ${lost}. Instead, `
}
