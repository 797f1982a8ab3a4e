/**
 * How fast an instance's snapshots may go: of the most that were listed within a day, half stay. The relay enforces
 * it and the simulation plans by it, so both have it from here.
 */

/** The most snapshots that were listed, and when (milliseconds since the epoch). */
export type Peak = readonly [count: number, at: number]

const SHARE = 0.5
const DAY = 86_400_000

/** The most within the last day, given what is listed now. */
export const mostOf = (peak: Peak | undefined, listed: number, now: number): number =>
  Math.max(peak === undefined || now - peak[1] >= DAY ? 0 : peak[0], listed)

/** So many of them stay. */
export const leastOf = (most: number): number => Math.max(1, Math.floor(most * SHARE))

/**
 * Of an instance's exports that are older than a day so many stay: those that are younger stay anyway, so whoever makes many of
 * them gains nothing by it.
 */
export const leastOld = (most: number): number => Math.floor(most * SHARE)

/** With what is listed now; the same object where nothing need be noted. */
export function withListed(peak: Peak | undefined, listed: number, now: number): Peak {
  if (peak === undefined) return [listed, now]
  const [count, at] = peak
  if (listed < count && now - at < DAY) return peak
  // Noted again at most once an hour while it stays the same.
  return listed === count && now - at < DAY / 24 ? peak : [listed, now]
}
