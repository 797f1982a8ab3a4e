/**
 * Which installation of stapes a copy belongs to. Two installations that copy onto one target would take each
 * other's transfers for their own. So a mark names the owner, and others leave the copy alone and say so.
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

/** Null for a malformed mark. */
export function parseInstallation(text: string | undefined): Installation | null {
  const [, born, nonce = '', keyDigest = ''] = /^(\d+)\.([\w-]*)\.([\w-]*)$/.exec(text ?? '') ?? []
  return born === undefined ? null : { born: Number(born), nonce, keyDigest }
}

/**
 * Why a copy is not ours, with what to do; null when it is. A copy without an owner may be taken over. So may
 * that of an older installation with our key: its state was lost, and this one replaces it.
 */
export function refuseOwner(mark: string | undefined, ours: Installation): string | null {
  if ((mark ?? '') === '' || mark === renderInstallation(ours)) return null
  const theirs = parseInstallation(mark)
  if (theirs !== null && isSame(theirs, ours)) return null
  if (theirs !== null && theirs.keyDigest === ours.keyDigest && theirs.born < ours.born) return null
  const since = theirs === null ? '' : ` (since ${new Date(theirs.born).toISOString()})`
  return `another installation of stapes makes this copy${since}: stop one of the two. If only this one is left, run "incus config unset <copy> user.stapes.owner" on the backup server`
}

/** Whether what a mark names is this one, or one that this one replaces; no mark names nobody. */
export function isOwnedBy(mark: string | undefined, ours: Installation): boolean {
  return (mark ?? '') !== '' && refuseOwner(mark, ours) === null
}

const isSame = (a: Installation, b: Installation): boolean => a.born === b.born && a.nonce === b.nonce
