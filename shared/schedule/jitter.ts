/**
 * A stable delay in whole seconds in [0, window), the same for the same seed forever: instances of
 * one slot spread out without anyone having to remember where. FNV-1a, then MurmurHash3's
 * finalizer, because FNV's high bits hardly move with the last letter.
 */
export function jitterSeconds(seed: string, window: number): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < seed.length; at++) {
    const unit = seed.charCodeAt(at)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * window)
}
