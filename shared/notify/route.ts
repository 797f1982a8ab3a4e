/** What a channel is told, and when. */
import { pathOf } from '../incus/subject.ts'
import { compilePaths } from '../policy/glob.ts'
import { openZone } from '../schedule/zone.ts'
import type { Channel } from './channel.ts'
import type { Trouble } from './trouble.ts'

/** That a channel fails is told on all others, whatever they are for. */
export const isOfChannel = ({ cause }: Pick<Trouble, 'cause'>): boolean => cause.startsWith('channel ')

/** What is about no policy, remote or instance in particular is told everywhere. */
export function accepts(channel: Channel): (trouble: Trouble) => boolean {
  const { name, policies, remotes, match } = channel
  const matches = match === null ? () => true : compilePaths(match)
  return (trouble) => {
    if (isOfChannel(trouble)) return trouble.cause !== `channel ${name}`
    return (
      meets(policies, trouble.policies) &&
      meets(remotes, trouble.remotes) &&
      (trouble.subject === null || matches(pathOf(trouble.subject)))
    )
  }
}

const meets = (wanted: readonly string[] | null, given: readonly string[]): boolean =>
  wanted === null || given.length === 0 || given.some((one) => wanted.includes(one))

/** Whether only what is critical is told now. */
export function isQuiet({ quiet, timezone }: Channel, now: Date): boolean {
  if (quiet === null) return false
  const wall = new Date(now.getTime() + openZone(timezone).offsetAt(now.getTime()))
  const time = wall.toISOString().slice(11, 16)
  const { from, to } = quiet
  return from <= to ? from <= time && time < to : from <= time || time < to
}
