/**
 * Whether a running instance stands still while stapes works on it. Incus freezes it (a virtual machine is
 * paused) where the pool's driver has no cheap snapshots: read in its source (`RunningCopyFreeze`), and seen
 * on 6.0.4 and 7.0.2.
 */

import type { InstanceRecord } from '../incus/inventory.ts'
import { own } from '../own.ts'
import type { World } from './world.ts'

/** While a snapshot is made; and for the whole of a copy, unless that may be inconsistent. */
const FREEZING = ['dir', 'lvm', 'lvmcluster', 'ceph', 'linstor', 'truenas']

/** Between two of these a virtual machine is sent as snapshots; everywhere else as one running disk. */
const ALIKE = ['btrfs', 'zfs']

/** Undefined: the pool can't be read. */
export function driverOf(
  { remotes }: Pick<World, 'remotes'>,
  remote: string,
  pool: string,
): string | undefined {
  const reply = remotes[remote]
  return reply?.ok === true ? own(reply.inventory.pools, pool) : undefined
}

/** In words, how the instance stands still while its snapshot is made; null: it doesn't. */
export function snapshotStandstill(
  { status, type }: InstanceRecord,
  driver: string | undefined,
  stateful: boolean,
): string | null {
  if (status !== 'Running') return null
  if (stateful) return 'it stands still while its memory is written'
  if (driver === undefined || !FREEZING.includes(driver)) return null
  const what = type === 'container' ? 'frozen' : 'paused'
  return driver === 'dir'
    ? `it is ${what} until ${driver} has copied all of its data`
    : `it is ${what} for a moment, as ${driver} demands`
}

/** `target` undefined: not known. An unknown driver may be one that freezes. */
export function copyFreezes(
  type: InstanceRecord['type'],
  source: string | undefined,
  target: string | undefined,
): boolean {
  if (source === undefined || FREEZING.includes(source)) return true
  return type === 'virtual-machine' && (source !== target || !ALIKE.includes(source))
}
