/** Why a promise isn't kept, in words that other code may have to know again: they are made and read here alone. */

const NO_LATER = 'no later one was seen by '

/** There is none, and nothing says why. */
export const unexplained = (seen: Date): string => `${NO_LATER}${seen.toISOString()}`
export const isUnexplained = (reason: string): boolean => reason.startsWith(NO_LATER)

const WAITS = ', and it waits for the next one'

/** `what`: how a slot ended that is made up for by the next one. */
export const waits = (what: string): string => `${what}${WAITS}`
export const isWaiting = (text: string): boolean => text.includes(WAITS)

/** `at`: ISO 8601; absent: none is planned. */
export const withRetry = (reason: string, at: string | undefined): string =>
  at === undefined ? reason : `${reason}; next try at ${at}`
/** The same reason whenever the next try comes. */
export const withoutRetry = (reason: string): string => reason.replace(/; next try at \S+$/, '')
