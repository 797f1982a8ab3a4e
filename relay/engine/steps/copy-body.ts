/** What a copy becomes on the target: made from the source's config and devices, without what isn't needed. */

import { isPowerful, mayGiveDevice, mayGiveKey } from '../../../shared/incus/given.ts'
import type { SourceDetails } from '../../../shared/incus/source.ts'
import { volumeIn } from '../../../shared/incus/subject.ts'
import { merged } from '../../../shared/own.ts'
import { COPYING, LEFT_OUT, OWNER, REPLICA_UUID, VERIFIED } from '../../../shared/policy/marks.ts'
import type { Sending } from '../../../shared/relay/steps.ts'
import { renderVerified, replicaMarks } from '../../../shared/work/copy/marks.ts'
import { renderTransfer } from '../../../shared/work/copy/transfer.ts'

type Device = Record<string, string>

/**
 * Of a refresh Incus should ignore all but name, type and architecture, and yet takes over the root disk's
 * pool: so the pool is the one in which the copy is.
 */
export function replicaBody(sending: Sending, details: SourceDetails): object {
  const { source, sourceServer, target, pool } = sending
  const { rootDevice } = details
  const devices = Object.entries(details.devices).filter(
    ([, one]) => !isCustomVolume(one) && !reachesHost(one),
  )
  const root = { ...details.root, type: 'disk', path: '/' }
  const rootOnPool = pool === null ? [] : [[rootDevice, { ...root, pool }]]
  const others = pool === null ? devices : devices.filter(([name]) => name !== rootDevice)
  const omitted = leftOut(details)
  return {
    name: target.instance,
    architecture: details.architecture,
    type: details.type,
    profiles: details.profiles,
    description: details.description,
    ephemeral: false,
    config: {
      ...inherited(details.config),
      ...PASSIVE,
      ...replicaMarks(source, sourceServer),
      ...uuidMark(details),
      ...transferMarks(sending),
      ...(omitted.length === 0 ? {} : { [LEFT_OUT]: omitted.join(' ') }),
    },
    devices: Object.fromEntries([...others, ...rootOnPool]),
  }
}

/**
 * The same of a custom volume. Incus drops keys that the target's driver doesn't know. Of a refresh it takes over
 * nothing but the snapshots and the data.
 */
export function volumeBody(sending: Sending, details: SourceDetails): object {
  const { source, sourceServer, target } = sending
  const kept = Object.entries(details.config).filter(([key]) => !/^(snapshots|user\.stapes)\./.test(key))
  return {
    name: volumeIn(target.instance)?.volume,
    type: 'custom',
    content_type: details.contentType,
    description: details.description,
    config: {
      ...Object.fromEntries(kept),
      ...replicaMarks(source, sourceServer),
      ...uuidMark(details),
      ...transferMarks(sending),
    },
  }
}

/** Which instance it is, whatever it is called. */
export const uuidMark = ({ uuid }: SourceDetails): Record<string, string> =>
  uuid === null ? {} : { [REPLICA_UUID]: uuid }

export const transferMarks = ({
  transfer,
  owner,
  verified,
}: Pick<Sending, 'transfer' | 'owner' | 'verified'>): Record<string, string> => ({
  [COPYING]: renderTransfer(transfer),
  [OWNER]: owner,
  [VERIFIED]: renderVerified(verified),
})

/** Attached volumes aren't copied with an instance, and a copy that names one fails. */
export const isCustomVolume = (device: Device): boolean =>
  device.type === 'disk' && device.path !== '/' && device.pool !== undefined

/**
 * Devices by which an instance reaches its host. Whoever has taken over the source could otherwise
 * run something on the backup server, as soon as the copy is started there.
 */
const HARMLESS_TYPES: readonly (string | undefined)[] = ['nic', 'none']
export const reachesHost = (device: Device): boolean =>
  device.type === 'disk'
    ? device.path !== '/' && device.pool === undefined
    : !HARMLESS_TYPES.includes(device.type)

/** What it lacks, by names: the copy's snapshots have it in their config. */
export const leftOut = ({ config, devices }: Pick<SourceDetails, 'config' | 'devices'>): string[] => [
  ...Object.keys(config).filter(isPowerful),
  ...Object.entries(devices).flatMap(([name, device]) =>
    !isCustomVolume(device) && reachesHost(device) ? [`device:${name}`] : [],
  ),
]

/** On a copy Incus takes and expires no snapshots and doesn't start it, whatever its profiles say. */
export const PASSIVE = { 'boot.autostart': 'false', 'snapshots.schedule': '@never', 'snapshots.expiry': '' }

const inherited = (config: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(config).filter(
      ([key]) =>
        key === 'volatile.base_image' ||
        !(
          isPowerful(key) ||
          /^(volatile|snapshots|boot\.autostart|user\.stapes|security\.protection\.delete)([.]|$)/.test(key)
        ),
    ),
  )

/** The source as the policy wants it on the target, where a new copy is made; whoever calls, nothing that reaches the host. */
export function adjusted(
  details: SourceDetails,
  { first, given }: Pick<Sending, 'first' | 'given'>,
): SourceDetails {
  if (!first || given === undefined) return details
  const { profiles = details.profiles, config = {}, devices = {} } = given
  const harmless = Object.entries(config).filter(([key]) => mayGiveKey(key))
  const plain = Object.entries(devices).filter(
    ([name, device]) => name !== details.rootDevice && mayGiveDevice(device),
  )
  return {
    ...details,
    profiles,
    config: merged(details.config, Object.fromEntries(harmless)),
    devices: merged(details.devices, Object.fromEntries(plain)),
  }
}
