/** Refuses a restore of the disk alone where the server doesn't know that: it would restore the settings as well, and say nothing. */
import { knowsDiskOnly } from '../../incus/features.ts'
import { own } from '../../own.ts'
import type { Found } from '../../plan/find.ts'
import type { Refusal } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import type { RestoreRequest } from './action.ts'

export function refuseDiskOnly(
  { key, ref, record }: Found,
  { diskOnly }: Pick<RestoreRequest, 'diskOnly'>,
  { remotes }: Pick<World, 'remotes'>,
): Refusal | null {
  if (diskOnly !== true) return null
  if (record.type === 'volume')
    return {
      code: 'disk-only',
      reason: `${key} is a custom volume, which keeps its settings in any case: leave that out`,
    }
  const reply = own(remotes, ref.remote)
  const version = reply?.ok === true ? reply.inventory.server.version : ''
  if (knowsDiskOnly(version)) return null
  return {
    code: 'disk-only',
    reason: `${ref.remote} (Incus ${version}) can't restore the disk of ${key} alone, which Incus knows from 6.0.6 and 6.22 on: upgrade it, or make a new instance of the snapshot and take its files (/backup clone), or restore it with its settings`,
  }
}
