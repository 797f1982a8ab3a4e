/** What a policy may say of a new copy, instead of what its source has. */

export type Device = Record<string, string>

/** Absent: as the source has it. `config` and `devices` are added to the source's own, or take the place of those called so. */
export type CopyGiven = {
  profiles?: string[]
  config?: Record<string, string>
  devices?: Record<string, Device>
}

/** Config by which an instance reaches its host. */
const POWERFUL =
  /^(raw\.|security\.(privileged$|syscalls\.(intercept\.|allow$|deny_default$)|bpffs\.|selinux\.)|linux\.kernel_modules)/
export const isPowerful = (key: string): boolean => POWERFUL.test(key)

/** What a copy has of its own: Incus's and stapes's marks, and what keeps it passive. */
const OWN = /^(volatile|snapshots|boot\.autostart|user\.stapes|security\.protection\.delete)([.]|$)/

export const mayGiveKey = (key: string): boolean => !isPowerful(key) && !OWN.test(key)

/** Networks, and nothing where the source has something. */
export const mayGiveDevice = ({ type }: Device): boolean => type === 'nic' || type === 'none'

/** What a card may say of itself. Anything else may take something of the host, as a VLAN, a route, or a card of it. */
const OF_CARD =
  /^(type|name|network|hwaddr|mtu|boot\.priority|ipv[46]\.address|limits\.(ingress|egress|max|priority)|security\.(mac_filtering|ipv[46]_filtering|port_isolation|acls|acls\.default\.(in|e)gress\.action))$/

/** Of a network of the server, and of nothing else that its host has. */
const isCard = (device: Device): boolean =>
  device.type === 'nic' &&
  device.network !== undefined &&
  Object.keys(device).every((key) => OF_CARD.test(key))

/** Why an import may not be given this; null: it may. */
export function refuseGiven({ config = {}, devices = {} }: CopyGiven): string | null {
  const key = Object.keys(config).find((one) => !mayGiveKey(one))
  if (key !== undefined)
    return `an import is not given ${key}: what reaches its host, snapshots.*, boot.autostart*, volatile.*, user.stapes.* and security.protection.delete are set by hand, once it is there`
  const name = Object.entries(devices).find(([, one]) => one.type !== 'none' && !isCard(one))?.[0]
  return name === undefined
    ? null
    : `an import is not given the device ${name}: only cards of a network of its server (type=nic, network=…), or type=none; the pool of its root disk has a parameter of its own, and what else it needs is added by hand, once it is there`
}
