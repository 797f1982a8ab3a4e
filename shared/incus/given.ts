/** What a policy may say of a new copy, instead of what its source has. */

export type Device = Record<string, string>

/** Absent: as the source has it. `config` and `devices` are added to the source's own, or take the place of those called so. */
export type CopyGiven = {
  profiles?: string[]
  config?: Record<string, string>
  devices?: Record<string, Device>
}

/** Config by which an instance reaches its host. */
const POWERFUL = /^(raw\.|security\.(privileged$|syscalls\.intercept\.)|linux\.kernel_modules)/
export const isPowerful = (key: string): boolean => POWERFUL.test(key)

/** What a copy has of its own: Incus's and stapes's marks, and what keeps it passive. */
const OWN = /^(volatile|snapshots|boot\.autostart|user\.stapes|security\.protection\.delete)([.]|$)/

export const mayGiveKey = (key: string): boolean => !isPowerful(key) && !OWN.test(key)

/** Networks, and nothing where the source has something. */
export const mayGiveDevice = ({ type }: Device): boolean => type === 'nic' || type === 'none'
