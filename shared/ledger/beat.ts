/** How often ticks observe Incus, and note that in the ledger. */

const MINUTE = 60_000
/** Clocks and overlapping ticks differ by no more than this. */
export const LEEWAY = 15 * MINUTE
/** With nothing due, the next observation comes after this time. */
export const LONGEST_SLEEP = 60 * MINUTE
/** Observations are noted at least so often: else ticks that stopped would look like a long wait. */
export const HEARTBEAT = 4 * MINUTE

/**
 * When the next call comes by itself, by what brought this one: the cron trigger each minute; an outside clock less
 * often, but it should at least each quarter of an hour; a person, nobody knows.
 */
export const COMES_AGAIN = { cron: { again: MINUTE }, tick: { again: 15 * MINUTE }, run: {} } as const
