/**
 * What an imported instance or volume becomes: what the archive says of it and what its export left out, filtered as a new instance from a
 * snapshot is. So whoever wrote the archive gives it nothing by which it reaches its host.
 */
import type { CopyGiven } from '../../../shared/incus/given.ts'
import type { Profiles } from '../../../shared/incus/profiles.ts'
import type { SourceDetails } from '../../../shared/incus/source.ts'
import { merged, own } from '../../../shared/own.ts'
import { EXPORTING, PREFIX, PROTECTION } from '../../../shared/policy/marks.ts'
import type { Cloning, Importing } from '../../../shared/relay/steps.ts'
import type { Held, InstanceDescription, VolumeDescription } from '../exports.ts'
import { cloneBody } from './clone-body.ts'

type Device = Record<string, string>

/** An import is made as if from a snapshot on another server. */
export const cloningOf = ({ of, to, start, pool }: Importing, name: string): Cloning => ({
  ...{ from: { ...of, remote: '' }, snapshot: name, to, whole: false, start, pool, transferMode: 'pull' },
})

/** What the export has set, so that nothing happens to what it was made from. */
const SET = [
  'boot.autostart',
  'snapshots.schedule',
  'snapshots.expiry',
  PROTECTION,
  EXPORTING,
  `${PREFIX}exclude`,
]

/** Of a volume: what has nothing to do with the host that it comes to. Incus drops what another driver doesn't know. */
const OF_VOLUME =
  /^(user\.|snapshots(\.|$)|volatile\.idmap\.|initial\.|security\.(shifted|unmapped)$|size$|block\.filesystem$)/

/** Keys that an imported volume doesn't get, though its archive has them. */
export const droppedOf = ({ type, config }: SourceDetails): string[] =>
  type === 'volume'
    ? Object.keys(config).filter((key) => !OF_VOLUME.test(key) && !key.startsWith('volatile.'))
    : []

/** As the volume was before its export. */
export function originalVolume({ details, manifest }: Held): SourceDetails {
  const kept = Object.entries(details.config).filter(([key]) => key !== EXPORTING)
  return { ...details, config: merged(Object.fromEntries(kept), manifest.leftOut.config) }
}

/** `mark`: its value of MAKING. */
export function volumeBody(
  cloning: Cloning,
  details: SourceDetails,
  mark: string,
): VolumeDescription['volume'] {
  const config = Object.entries(details.config).filter(([key]) => OF_VOLUME.test(key))
  const plain = { ...details, config: Object.fromEntries(config) }
  return cloneBody(cloning, { details: plain, inherited: plain }, mark) as VolumeDescription['volume']
}

/** As the instance was before its export; `profiles`: those of its new place, null where they can't be seen. */
export function originalOf(
  { details: archived, manifest }: Held,
  profiles: Profiles | null,
  given: CopyGiven = {},
): SourceDetails {
  const details = { ...archived, profiles: given.profiles ?? archived.profiles }
  const { leftOut } = manifest
  const kept = Object.entries(details.config).filter(([key]) => !SET.includes(key))
  const config = merged(Object.fromEntries(kept), leftOut.config)
  const inherited = merged(...details.profiles.map((name) => profiles?.get(name)?.devices ?? {}))
  // What the export masked is another card of a profile, which gets an address of its own.
  const isMasked = (name: string, { type }: Device): boolean =>
    type === 'none' && own(inherited, name)?.type === 'nic'
  const visible = Object.entries(details.devices).filter(([name, device]) => !isMasked(name, device))
  const devices = merged(Object.fromEntries(visible), leftOut.devices)
  return { ...details, config, devices, expandedDevices: merged(inherited, devices) }
}

/** What it will be, for whether that fits its place. */
export const withGiven = (details: SourceDetails, { config, devices }: CopyGiven = {}): SourceDetails => ({
  ...details,
  config: merged(details.config, config),
  devices: merged(details.devices, devices),
  expandedDevices: merged(details.expandedDevices, devices),
})

/** What stays of its own beside that. */
export function besideGiven(details: SourceDetails, { devices = {} }: CopyGiven = {}): SourceDetails {
  const others = (all: Record<string, Device>) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => own(devices, name) === undefined))
  return {
    ...details,
    devices: others(details.devices),
    expandedDevices: others(details.expandedDevices),
  }
}

/** By which the files in the archive are to be read: whose they are on disk, and that they are a copy's. */
const ON_DISK = ['volatile.last_state.idmap', 'volatile.apply_template']

/** `mark`: its value of MAKING. What is given has its addresses: whoever gives it has chosen them. */
export function importBody(
  cloning: Cloning,
  details: SourceDetails,
  held: Held,
  { mark, given = {} }: { mark: string; given: CopyGiven | undefined },
): InstanceDescription['body'] {
  const kept = besideGiven(details, given)
  const body = cloneBody(cloning, { details: kept, inherited: kept }, mark) as InstanceDescription['body']
  const onDisk = ON_DISK.flatMap((key) => {
    const value = own(held.details.config, key)
    return value === undefined ? [] : [[key, value] as const]
  })
  return {
    ...body,
    // None of these is a mark, or what keeps it passive: `refuseGiven` has seen to that.
    config: merged(Object.fromEntries(onDisk), body.config, given.config),
    devices: merged(body.devices, given.devices),
  }
}
