/**
 * Whether a running instance stands still while stapes works on it. Incus freezes it (a virtual machine is
 * paused) where the pool's driver has no cheap snapshots: read in its source (`RunningCopyFreeze`), and seen
 * on 6.0.4 and 7.0.2.
 */

import type { InstanceRecord } from '../incus/inventory.ts'
import { own } from '../own.ts'
import type { Copy } from '../policy/policy.ts'
import type { World } from './world.ts'

/** Incus freezes on these while a snapshot is made, and during a whole copy unless that may be inconsistent. */
const FREEZING = ['dir', 'lvm', 'lvmcluster', 'ceph', 'linstor', 'truenas']

/** Between two of these a virtual machine is sent as snapshots; everywhere else as one running disk. */
const ALIKE = ['btrfs', 'zfs']

/** For how long a running instance is frozen on that driver while a snapshot is made, in words; null: it isn't. */
export function freezesAt(driver: string): string | null {
  if (!FREEZING.includes(driver)) return null
  return driver === 'dir'
    ? 'until all of its data are copied, at each snapshot'
    : 'for a moment at each snapshot'
}

/** Undefined: the pool can't be read. */
export function driverOf(
  { remotes }: Pick<World, 'remotes'>,
  remote: string,
  pool: string,
): string | undefined {
  const reply = own(remotes, remote)
  return reply?.ok === true ? own(reply.inventory.pools, pool) : undefined
}

/** In words, how the instance stands still while its snapshot is made; null: it doesn't. */
export function snapshotStandstill(
  { status, type }: Pick<InstanceRecord, 'status' | 'type'>,
  driver: string | undefined,
  stateful: boolean,
): string | null {
  if (status !== 'Running') return null
  if (stateful) return 'it stands still while its memory is written'
  if (driver === undefined || !FREEZING.includes(driver)) return null
  const what = type === 'container' ? 'frozen' : 'paused'
  return driver === 'dir'
    ? `it is ${what} until ${driver} has copied all of its data`
    : `it is ${what} for a moment, because ${driver} requires it`
}

/** How a copy treats an instance that Incus would freeze for the whole transfer. */
export type Treatment = {
  /** Sent as `allow_inconsistent`: nothing is frozen. Elsewhere left out, for it hides errors. */
  inconsistent: boolean
  /** In words, how the running instance stands still; null: it doesn't. */
  standstill: string | null
}

type Copied = {
  record: InstanceRecord
  /** Drivers of both pools; undefined: not known. */
  source: string | undefined
  target: string | undefined
  allow: Copy['allow']
  /** Seconds that its last transfer took. */
  took: number | undefined
}

/** By the drivers alone, for a stopped instance may be started before its turn. */
export function treatmentOf({ record, source, target, allow, took }: Copied): Treatment {
  const freezes = copyFreezes(record.type, source, target)
  const isStill = freezes && allow === 'freeze' && record.status === 'Running'
  return {
    inconsistent: freezes && allow === 'inconsistent',
    standstill: isStill ? standstillOf(record, source, took) : null,
  }
}

function standstillOf(
  { type }: InstanceRecord,
  source: string | undefined,
  took: number | undefined,
): string {
  const what = type === 'container' ? 'frozen' : 'paused'
  const last = took === undefined ? 'however long it takes' : `the last one took ${spanOf(took)}`
  return `it is ${what} for the whole copy (${source ?? 'unknown driver'}): ${last}`
}

const spanOf = (seconds: number): string =>
  seconds < 120 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`

/** An unknown driver may be one that freezes. */
function copyFreezes(
  type: InstanceRecord['type'],
  source: string | undefined,
  target: string | undefined,
): boolean {
  if (source === undefined || FREEZING.includes(source)) return true
  return type === 'virtual-machine' && (source !== target || !ALIKE.includes(source))
}
