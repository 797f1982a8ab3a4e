/** How often ticks look, and note it. */

const MINUTE = 60_000
/** Ticks overtake each other by no more. */
export const LEEWAY = 15 * MINUTE
/** With nothing due, the configuration is looked at again after this long all the same. */
export const LONGEST_SLEEP = 24 * 60 * MINUTE
/** Who looks notes it so often, whatever came of it: else nobody could tell silence from a long wait. */
export const HEARTBEAT = 4 * MINUTE
