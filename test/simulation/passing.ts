/** Which minute's tick comes next, and ticks as time passes. */
import { remembered } from './remembered.ts'
import type { World } from './world.ts'

const MINUTE = 60_000

export const minuteAfter = (now: number): number => Math.floor(now / MINUTE) * MINUTE + MINUTE

type Clocked = { clock: Pick<World['clock'], 'now'> }

/** That of its tick. */
export const nextMinute = ({ clock }: Clocked): Date => new Date(minuteAfter(clock.now()))

/** The next minute in which a tick finds something to do, by the ledger; what ticks between them do is nothing. */
export const dueMinuteAfter = ({ clock, kv }: World): number =>
  Math.max(minuteAfter(clock.now()), wakeIn(kv.peek('ledger')))

const wakeIn = remembered((ledger) => {
  const { wakeAt } = (ledger ?? {}) as { wakeAt?: string }
  return wakeAt === undefined ? 0 : Math.ceil(Date.parse(wakeAt) / MINUTE) * MINUTE
})

/** Ticks in steps of so many milliseconds, wherever in a minute they fall, as long as a whole one is left. */
export async function pass(world: World, ms: number, step = MINUTE): Promise<void> {
  const end = world.clock.now() + ms
  while (world.clock.now() + step <= end) await world.tick(new Date(world.clock.now() + step))
}

/** A tick each minute, as long as a whole one is left until then (ISO 8601). */
export async function passUntil(
  world: World,
  until: string,
  each: (at: Date) => Promise<void> = async () => {},
): Promise<void> {
  while (world.clock.now() + MINUTE <= Date.parse(until)) {
    const at = nextMinute(world)
    await world.tick(at)
    await each(at)
  }
}

/** Ticks until so many milliseconds have passed, where something is due. */
export async function passIdly(world: World, ms: number): Promise<void> {
  const end = world.clock.now() + ms
  for (let at = dueMinuteAfter(world); at <= end; at = dueMinuteAfter(world)) await world.tick(new Date(at))
  // The last tick may have waited beyond it.
  if (world.clock.now() < end) await world.clock.advance(end)
}
