/** Which minute's tick comes next. */
import type { World } from './world.ts'

const MINUTE = 60_000

export const minuteAfter = (now: number): number => Math.floor(now / MINUTE) * MINUTE + MINUTE

/** The next minute in which a tick finds something to do, by the ledger; what ticks between them do is nothing. */
export const dueMinuteAfter = ({ clock, kv }: World): number =>
  Math.max(minuteAfter(clock.now()), wakeIn(kv.peek('ledger')))

function wakeIn(ledger: string | null): number {
  const { wakeAt } = JSON.parse(ledger ?? '{}') as { wakeAt?: string }
  return wakeAt === undefined ? 0 : Math.ceil(Date.parse(wakeAt) / MINUTE) * MINUTE
}

/** Ticks until so many milliseconds have passed, where something is due. */
export async function passIdly(world: World, ms: number): Promise<void> {
  const end = world.clock.now() + ms
  for (let at = dueMinuteAfter(world); at <= end; at = dueMinuteAfter(world)) await world.tick(new Date(at))
  // The last tick may have waited beyond it.
  if (world.clock.now() < end) await world.clock.advance(end)
}
