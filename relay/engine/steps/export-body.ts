/**
 * The instance or volume that an export is made from: the snapshot's, without what may not be there twice, and so that Incus neither
 * starts it nor takes snapshots of it. What it lacks by that stands in the manifest.
 */
import { type InstanceRef, volumeIn } from '../../../shared/incus/subject.ts'
import { own } from '../../../shared/own.ts'
import { EXPORTING, PREFIX, PROTECTION } from '../../../shared/policy/marks.ts'
import type { Manifest } from '../../../shared/work/export/manifest.ts'
import { isObject, text } from '../envelope.ts'
import { isCustomVolume, PASSIVE } from './copy-body.ts'

type Config = Record<string, string>
type Devices = Record<string, Config>

/** Of a snapshot, as Incus describes it; null: in another form. */
export type SnapshotDetails = {
  createdAt: string
  config: Config
  devices: Devices
  /** With what its profiles add. */
  expanded: Devices
}

export function parseSnapshot(metadata: unknown): SnapshotDetails | null {
  if (!isObject(metadata) || !isObject(metadata.config)) return null
  return {
    createdAt: text(metadata.created_at),
    config: textsOf(metadata.config),
    devices: devicesOf(metadata.devices),
    expanded: devicesOf(metadata.expanded_devices),
  }
}

const textsOf = (value: unknown): Config =>
  Object.fromEntries(
    Object.entries(isObject(value) ? value : {}).filter(
      (one): one is [string, string] => typeof one[1] === 'string',
    ),
  )

const devicesOf = (value: unknown): Devices =>
  Object.fromEntries(Object.entries(isObject(value) ? value : {}).map(([name, one]) => [name, textsOf(one)]))

/** It stays as it is made: stopped, without snapshots, and it can be removed. */
const STAYING: Config = { ...PASSIVE, [PROTECTION]: 'false' }

export type Made = { body: object; leftOut: Manifest['leftOut'] }

/** `mark`: sealed, in the name of the instance that is made. */
export function temporaryBody(
  from: InstanceRef,
  snapshot: string,
  details: SnapshotDetails,
  { name, mark }: { name: string; mark: string },
): Made {
  const { config, devices, expanded } = details
  const marks = Object.keys(config).filter((key) => key.startsWith(PREFIX))
  const changed: Config = { ...STAYING, ...Object.fromEntries(marks.map((key) => [key, ''])) }
  const masked = Object.entries(expanded).flatMap(([device, one]) => (isSingle(one) ? [device] : []))
  return {
    body: {
      name,
      source: { type: 'copy', source: `${from.instance}/${snapshot}`, project: from.project },
      config: { ...changed, [EXPORTING]: mark },
      devices: Object.fromEntries(masked.map((device) => [device, { type: 'none' }])),
    },
    leftOut: {
      config: Object.fromEntries(
        Object.keys(changed).flatMap((key) => {
          const value = own(config, key)
          return value === undefined || value === own(changed, key) ? [] : [[key, value]]
        }),
      ),
      devices: Object.fromEntries(
        masked.flatMap((device) => {
          const one = own(devices, device)
          return one === undefined ? [] : [[device, one]]
        }),
      ),
    },
  }
}

/** With the snapshot's config, which says how the owners of its files are shifted. */
export function temporaryVolume(
  from: InstanceRef,
  snapshot: string,
  { config }: SnapshotDetails,
  about: { name: string; mark: string; contentType: string; description: string },
): Made {
  const { name, mark, contentType, description } = about
  const { pool = '', volume = '' } = volumeIn(from.instance) ?? {}
  const isKept = ([key]: [string, string]) => !key.startsWith(PREFIX) && !/^snapshots(\.|$)/.test(key)
  const entries = Object.entries(config)
  return {
    body: {
      ...{ name, type: 'custom', content_type: contentType, description },
      config: { ...Object.fromEntries(entries.filter(isKept)), [EXPORTING]: mark },
      source: { type: 'copy', name: `${volume}/${snapshot}`, pool, project: from.project },
    },
    leftOut: { config: Object.fromEntries(entries.filter((one) => !isKept(one))), devices: {} },
  }
}

/** A custom volume, or a network card with an address or a name of its own on the host: Incus may allow one such only. */
const isSingle = (device: Config): boolean =>
  isCustomVolume(device) ||
  (device.type === 'nic' &&
    ['hwaddr', 'ipv4.address', 'ipv6.address', 'host_name'].some((key) => own(device, key) !== undefined))
