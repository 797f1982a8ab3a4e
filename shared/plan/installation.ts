/**
 * Which installation of stapes a copy belongs to. Two that copy onto one target would judge each other's
 * transfers, so a copy says whose it is, and every other installation leaves it alone and says so.
 */
export type Installation = {
  /** When its state began (milliseconds since the epoch). */
  born: number
  nonce: string
  /** A digest of its key to the relay: the same after its state was lost. */
  keyDigest: string
}

export const renderInstallation = ({ born, nonce, keyDigest }: Installation): string =>
  `${born}.${nonce}.${keyDigest}`

/** Null for what isn't of our form. */
export function parseInstallation(text: string | undefined): Installation | null {
  const [, born, nonce = '', keyDigest = ''] = /^(\d+)\.([\w-]*)\.([\w-]*)$/.exec(text ?? '') ?? []
  return born === undefined ? null : { born: Number(born), nonce, keyDigest }
}

/**
 * Why a copy is not ours, with what to do; null when it is. Nobody's copy may be taken over, and the copy of
 * an installation with our key that is older than we are: that one's state was lost, and is ours now.
 */
export function refuseOwner(mark: string | undefined, ours: Installation): string | null {
  if ((mark ?? '') === '' || mark === renderInstallation(ours)) return null
  const theirs = parseInstallation(mark)
  if (theirs !== null && isSame(theirs, ours)) return null
  if (theirs !== null && theirs.keyDigest === ours.keyDigest && theirs.born < ours.born) return null
  const since = theirs === null ? '' : `, which began at ${new Date(theirs.born).toISOString()}`
  return `another installation of stapes makes this copy${since}: stop one of the two. If only this one is left, run "incus config unset <copy> user.stapes.owner" on the backup server`
}

const isSame = (a: Installation, b: Installation): boolean => a.born === b.born && a.nonce === b.nonce
