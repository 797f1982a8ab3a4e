/** The last look before Incus executes a removal that can be undone: whether it may still go. */
import { minutesFrom } from '../schedule/moment.ts'

/** Minutes. A look takes a while, and what it takes back has to be sent before. */
const BEFORE = 3

/** When that is, for removals that end then (milliseconds since the epoch; ISO 8601). Those that are about to go need none. */
export const lastLooks = (ends: readonly number[], now: Date): string[] =>
  ends.flatMap((end) => {
    const look = minutesFrom(new Date(end), -BEFORE)
    return look > now.toISOString() ? [look] : []
  })
