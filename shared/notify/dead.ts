/** Channels that don't work: another one tells it, and the status shows it. */
import type { ChannelState, Notices } from './notices.ts'

export type DeadChannel = { name: string; since: string; text: string }

/** Failed tries after which it is told; at once where another try won't help. */
const ENOUGH = 3

export const deadChannels = ({ channels }: Notices): DeadChannel[] =>
  Object.entries(channels).flatMap(([name, { as, failing }]) =>
    failing === undefined || (failing.final !== true && failing.count < ENOUGH)
      ? []
      : [{ name, since: failing.since, text: textOf(name, as.type, failing) }],
  )

const textOf = (
  name: string,
  type: string,
  { since, reason }: NonNullable<ChannelState['failing']>,
): string =>
  `notifications to "${name}" (${type}) have failed since ${since}: ${reason}. It is tried again by itself; to try it now: npm run notify -- --test`
