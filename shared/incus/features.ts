/** What a server can do, by its version. A version that can't be read can nothing that is new. */

/** `lts`: since which release of the 6.0 line. */
type Since = { from: readonly [number, number]; lts: number }

const has = (version: string, { from, lts }: Since): boolean => {
  const found = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version)
  if (found === null) return false
  const [major, minor, patch] = [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)]
  if (major === 6 && minor === 0) return patch >= lts
  return major > from[0] || (major === from[0] && minor >= from[1])
}

/** `disk_only` at a restore in place. */
export const knowsDiskOnly = (version: string): boolean => has(version, { from: [6, 22], lts: 6 })

/** `snapshots.expiry.manual`, so that `snapshots.expiry` holds for what Incus takes by its schedule alone. */
export const knowsManualExpiry = (version: string): boolean => has(version, { from: [6, 14], lts: 5 })

/** The files of custom volumes (`custom_volume_sftp`). */
export const givesVolumeFiles = (version: string): boolean => has(version, { from: [6, 13], lts: 5 })
