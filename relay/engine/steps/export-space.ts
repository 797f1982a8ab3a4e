/**
 * Whether a server has the space for an export, where it can be known: Incus writes the file first, and on pools that share no
 * data the instance or volume that it is made from is a full copy. Of the host's own disk Incus tells nothing.
 */
import { sizeOf } from '../../../shared/chat/age.ts'
import { type InstanceRef, volumeIn } from '../../../shared/incus/subject.ts'
import { call } from '../call.ts'
import { isObject, text } from '../envelope.ts'
import { spaceOf } from '../space.ts'
import { stateRequest } from '../subject-requests.ts'
import type { StepIo } from './step-io.ts'

/** `backups`: as the server names the volume for backups, `pool/volume`; empty: none, or it isn't shown. */
export type Place = { pool: string; driver: string; backups: string }

/** They share what they copy. */
const SHARING: readonly string[] = ['btrfs', 'zfs', 'ceph', 'lvm']

/** Null: there is room, or it isn't known. */
export async function refuseSpace(
  ref: InstanceRef,
  place: Place,
  io: StepIo,
  what = 'an export of it',
): Promise<string | null> {
  const usage = await usageOf(ref, io)
  if (usage === null) return null
  const [volumePool = ''] = place.backups.split('/')
  const needs = new Map<string, number>()
  const need = (pool: string) => pool !== '' && needs.set(pool, (needs.get(pool) ?? 0) + usage)
  if (!SHARING.includes(place.driver)) need(place.pool)
  need(volumePool)
  for (const [pool, bytes] of needs) {
    const free = await freeIn(pool, ref.remote, io)
    if (free !== null && free < bytes)
      return `pool ${pool} on ${ref.remote} has ${sizeOf(free)} left, and ${what} takes ${sizeOf(bytes)} there for a while: free some, or enlarge it`
  }
  return null
}

/** Bytes that it takes in its pool; null: its driver doesn't tell (dir, btrfs without quotas). */
export async function usageOf(ref: InstanceRef, { upstream }: StepIo): Promise<number | null> {
  const state = await call(upstream, ref.remote, stateRequest(ref))
  const metadata = state.ok && isObject(state.value.envelope.metadata) ? state.value.envelope.metadata : {}
  const disk = isObject(metadata.disk) ? metadata.disk : {}
  const root = isObject(disk.root) ? disk.root : {}
  const ofVolume = isObject(metadata.usage) ? metadata.usage.used : undefined
  const usage = volumeIn(ref.instance) === null ? root.usage : ofVolume
  return typeof usage === 'number' && usage > 0 ? usage : null
}

/** Bytes; null: its driver doesn't tell. */
export async function freeIn(
  pool: string,
  remote: string,
  { upstream }: Pick<StepIo, 'upstream'>,
): Promise<number | null> {
  const space = await spaceOf(remote, pool, upstream)
  return space === null ? null : Math.max(0, space.total - space.used)
}

export const backupsVolumeOf = (server: Record<string, unknown>): string =>
  isObject(server.config) ? text(server.config['storage.backups_volume']) : ''
