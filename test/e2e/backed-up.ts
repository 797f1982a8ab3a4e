/** A scene that begins on two real daemons, with instances that were copied for some hours. */
import { type Pair, startPair } from '../lab/pair.ts'
import { realTheatre } from './real-theatre.ts'
import { openStage, type Stage } from './stage.ts'
import { furnish, openTimeline, type Timeline } from './timeline.ts'

type BackedUp = { pair: Pair; stage: Stage; timeline: Timeline }

/** `bytes`: of fresh data in each instance at each hour. `prepare`: before the first one. */
export async function backUp(
  incusd: string,
  names: readonly string[],
  { bytes, hours, prepare }: { bytes: number; hours: number; prepare?: (pair: Pair) => Promise<unknown> },
): Promise<BackedUp> {
  const pair = await startPair({ daemons: { main: incusd, backup: incusd } })
  const stage = await openStage(async () => ({ ...realTheatre(pair), files: true }))
  await furnish(stage, names)
  await prepare?.(pair)
  const timeline = openTimeline(stage, names, bytes)
  for (let hour = 0; hour < hours; hour++) {
    await timeline.strike()
    await timeline.settle()
  }
  return { pair, stage, timeline }
}
