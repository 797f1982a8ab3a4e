/** After each observation: updates the messages about long work, and reports its outcome. */

import { type Follow, followUp } from '../../shared/chat/progress.ts'
import { own } from '../../shared/own.ts'
import { minutesFrom } from '../../shared/schedule/moment.ts'
import type { Io } from '../run.ts'
import { endAudit } from '../state/audit.ts'
import { attemptWrite } from '../state/unwritten.ts'
import { findWatches, readWatches, type Watching, writeWatches } from '../state/watches.ts'
import { type Chat, deliver, place } from './chat.ts'
import type { Platforms } from './configure.ts'
import type { ReplyTo } from './platform.ts'

type Follower = Pick<Chat, 'kv' | 'now' | 'origin' | 'send'> & { platforms: Platforms }
type Observation = Parameters<NonNullable<Io['follow']>>[0]

export const createFollow =
  (follower: Follower) =>
  async (observation: Observation): Promise<{ again: boolean; lost: boolean }> => {
    const { watches, lost } = await findWatches(follower.kv)
    const next = new Map<string, Watching | null>()
    let again = false
    for (const watch of watches) {
      const found = followUp(watch, observation)
      again ||= !found.ended && found.notStarted
      next.set(watch.id, await bringUpToDate(watch, found, observation.now, follower))
    }
    if (!lost && watches.every((watch) => next.get(watch.id) === watch)) return { again, lost }
    // Others may have been added meanwhile.
    const now = await readWatches(follower.kv)
    const kept = now.map((watch) => (next.has(watch.id) ? next.get(watch.id) : watch))
    await writeWatches(
      follower.kv,
      kept.filter((watch): watch is Watching => watch != null),
    )
    return { again, lost }
  }

/** The same watch, where nothing was posted; null: it has ended. */
async function bringUpToDate(
  watch: Watching,
  { ended, outcome, said, message }: Follow,
  now: Date,
  follower: Follower,
): Promise<Watching | null> {
  const { reply } = watch
  const platform = reply === null ? undefined : own(follower.platforms, reply.platform)
  if (ended) {
    const record = { id: watch.id, at: watch.startedAt }
    const why = await attemptWrite('the outcome of a change', () => endAudit(follower.kv, record, outcome))
    // Else the end would be reported again and again: the watch can't be removed either.
    if (why !== null) return watch
    if (reply !== null && platform !== undefined) await deliver(message, reply, { ...follower, platform })
    return null
  }
  if (reply === null || platform === undefined || said === watch.said || !mayEdit(watch, reply, now))
    return watch
  const left = (await place(message, reply, { ...follower, platform })) ?? { ...reply, uses: 0 }
  return { ...watch, reply: left, said, edits: watch.edits + 1, editedAt: now.toISOString() }
}

/** Where uses are limited: updates so many minutes after the start, with one use kept for the end. */
const MOMENTS = [1, 4, 12]

function mayEdit({ edits, startedAt, editedAt }: Watching, reply: ReplyTo, now: Date): boolean {
  if (reply.uses === null || reply.own !== null) return now.getTime() - new Date(editedAt).getTime() >= 50_000
  const after = MOMENTS[edits]
  return reply.uses > 1 && after !== undefined && minutesFrom(new Date(startedAt), after) <= now.toISOString()
}
