/** What a new instance becomes: the config and devices of the snapshot that it is made from, without what isn't its own. */
import { isPowerful } from '../../../shared/incus/given.ts'
import type { SourceDetails } from '../../../shared/incus/source.ts'
import { subjectKey, volumeIn } from '../../../shared/incus/subject.ts'
import { merged, own } from '../../../shared/own.ts'
import {
  HOLD,
  isMark,
  MAKING,
  NO_VOLUMES,
  PROTECTION,
  RESTORED,
  SINCE,
} from '../../../shared/policy/marks.ts'
import type { Cloning } from '../../../shared/relay/steps.ts'
import type { Original } from './clone-reads.ts'
import { isCustomVolume, PASSIVE, reachesHost } from './copy-body.ts'

type Config = Record<string, string>
type Devices = Record<string, Config>

/** Another's address, or the name of a network interface on the host. */
const ADDRESS = /^(hwaddr|host_name|ipv[46]\.(address|routes|routes\.external))$/

const isDeferred = (key: string): boolean => /^(boot\.autostart|snapshots)(\.|$)/.test(key)

/** Of one that is brought back, what its policies go by. */
const isLasting = (key: string): boolean =>
  key.startsWith(HOLD) || key === RESTORED || key === NO_VOLUMES || key === SINCE

const isLocal = ({ from, to }: Cloning): boolean => from.remote === to.remote

/** `mark`: its value of MAKING. */
export function cloneBody(
  cloning: Cloning,
  { details, inherited }: Pick<Original, 'details' | 'inherited'>,
  mark: string,
): object {
  const { architecture, type, profiles, description } = details
  if (type === 'volume') return newVolume(cloning, details, mark)
  const config = { ...keptOf(cloning, details), ...PASSIVE, [MAKING]: mark }
  const devices = devicesOf(cloning, details)
  // Incus adds what its original has and the body doesn't name.
  const none = isLocal(cloning) ? absent(inherited, { config, devices }) : { config: {}, devices: {} }
  return {
    ...{ name: cloning.to.instance, architecture, type, profiles, description, ephemeral: false },
    config: { ...none.config, ...config },
    devices: { ...none.devices, ...devices },
  }
}

/** Owners of files are shifted as they were in the snapshot. Its own schedule it gets with the mark that it is whole. */
function newVolume(
  { to, whole }: Cloning,
  { config, contentType, description }: SourceDetails,
  mark: string,
): object {
  const kept = Object.entries(config).filter(([key]) =>
    isMark(key) ? whole && isLasting(key) : !isDeferred(key),
  )
  return {
    ...{ name: volumeIn(to.instance)?.volume, type: 'custom', content_type: contentType, description },
    config: { ...Object.fromEntries(kept), [MAKING]: mark },
  }
}

const absent = (
  { config, devices }: Original['inherited'],
  kept: { config: Config; devices: Devices },
): { config: Config; devices: Devices } => ({
  config: Object.fromEntries(
    Object.keys(config)
      .filter((key) => own(kept.config, key) === undefined && !key.startsWith('volatile.'))
      .map((key) => [key, '']),
  ),
  devices: Object.fromEntries(
    Object.keys(devices)
      .filter((name) => own(kept.devices, name) === undefined)
      .map((name) => [name, { type: 'none' }]),
  ),
})

const keptOf = ({ whole }: Cloning, { config }: SourceDetails): Config =>
  Object.fromEntries(Object.entries(config).filter(([key]) => isKept(key, whole)))

function isKept(key: string, whole: boolean): boolean {
  if (key === 'volatile.base_image') return true
  if (/^volatile\.[^.]+\.hwaddr$/.test(key)) return whole
  if (isMark(key)) return whole && isLasting(key)
  return !(key.startsWith('volatile.') || isPowerful(key) || isDeferred(key) || key === PROTECTION)
}

function devicesOf(
  { whole, pool }: Cloning,
  { devices, root, rootDevice, expandedDevices }: SourceDetails,
): Devices {
  const mine = Object.entries(devices).filter(([, one]) => !isCustomVolume(one) && !reachesHost(one))
  // Those of its profiles collide as well.
  const inherited = Object.entries(expandedDevices).filter(
    ([name, one]) => !Object.hasOwn(devices, name) && addressesOf(one).length > 0,
  )
  const nics = whole
    ? mine
    : [...mine, ...inherited].map(([name, one]) => [name, withoutAddress(one)] as const)
  const rootOnPool = pool === null ? {} : { [rootDevice]: { ...root, type: 'disk', path: '/', pool } }
  return merged(Object.fromEntries(nics), rootOnPool)
}

const addressesOf = (device: Config): string[] =>
  device.type === 'nic' ? Object.keys(device).filter((key) => ADDRESS.test(key)) : []

const withoutAddress = (device: Config): Config =>
  device.type === 'nic'
    ? Object.fromEntries(Object.entries(device).filter(([key]) => !ADDRESS.test(key)))
    : device

/** What it gets once it is whole; where its config was replaced by the snapshot's, no mark of that stays. */
export function lastingConfig({ whole }: Cloning, { config, type }: SourceDetails): Config {
  if (type === 'volume') return Object.fromEntries(Object.entries(config).filter(([key]) => isDeferred(key)))
  const deferred = Object.keys(PASSIVE).map((key) => [key, own(config, key) ?? ''])
  const others = Object.entries(config).filter(([key]) => isDeferred(key))
  return {
    ...Object.fromEntries([...deferred, ...others]),
    ...(whole ? strayMarks(config) : {}),
    ...(whole && config[PROTECTION] === 'true' ? { [PROTECTION]: 'true' } : {}),
  }
}

/** Marks of what it was made from that say nothing of it. */
export const strayMarks = (config: Record<string, unknown>): Config =>
  Object.fromEntries(
    Object.keys(config).flatMap((key) => (isMark(key) && !isLasting(key) ? [[key, '']] : [])),
  )

/** Whether its whole config may come from the snapshot, as Incus's restore sets it. */
export const isPlain = ({ config, devices }: SourceDetails): boolean =>
  !Object.keys(config).some(isPowerful) &&
  !Object.values(devices).some((one) => isCustomVolume(one) || reachesHost(one))

/** What differs from the original, in words. */
export function differencesOf(cloning: Cloning, details: SourceDetails): string[] {
  const { config, devices, expandedDevices } = details
  const [key, at] = [subjectKey(cloning.to), cloning.to.remote]
  const volumes = Object.entries(devices).flatMap(([name, one]) =>
    isCustomVolume(one) ? [`${name} (${one.pool}/${one.source})`] : [],
  )
  const host = [
    ...Object.keys(config).filter(isPowerful),
    ...Object.entries(devices).flatMap(([name, one]) =>
      !isCustomVolume(one) && reachesHost(one) ? [`device:${name}`] : [],
    ),
  ]
  const addresses = cloning.whole
    ? []
    : Object.entries(merged(expandedDevices, devices)).flatMap(([name, one]) =>
        addressesOf(one).map((each) => `${name}.${each}=${own(one, each)}`),
      )
  return [
    ...(addresses.length === 0
      ? []
      : [`${key} is made without ${addresses.join(', ')}, which its original may still use`]),
    ...(host.length === 0
      ? []
      : [
          `${key} is made without ${host.join(', ')}, by which it could reach its host; add it again if it needs that`,
        ]),
    ...(volumes.length === 0
      ? []
      : [
          `${key} is made without its custom volumes, which no snapshot holds: ${volumes.join(', ')}; attach them again`,
        ]),
    ...(details.type !== 'volume' && cloning.whole && !isPlain(details)
      ? [
          `its disk will be as the last transfer to ${cloning.from.remote} left it, because its snapshots have that in their config: once it is back, look at their config, and restore one on ${at} yourself`,
        ]
      : []),
  ]
}
