/** The words in which retention explains itself; users see them in plans, previews and logs. */
export const held = 'held'
export const future = 'in the future'
export const noRules = 'no rules, nothing expires'
export const unwanted = 'no rule keeps it'

/** "daily 1 of 7"; with a limit of all there is nothing to count down. */
export const counted = (label: string, nth: number, limit: number): string =>
  Number.isFinite(limit) ? `${label} ${nth} of ${limit}` : `${label}, all`

/** "within 7d", "daily within 7d". */
export const within = (label: string, duration: string): string =>
  label === '' ? `within ${duration}` : `${label} within ${duration}`

/** It opens no bucket of its own, but there was room left and nothing reaches further back. */
export const oldest = (reason: string): string => `oldest ${reason}`
