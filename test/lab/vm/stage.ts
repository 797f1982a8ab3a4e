/** A real pair whose daemons have virtual machines, with the image that boots, and all of stapes over it. */
import { realTheatre } from '../../e2e/real-theatre.ts'
import { openStage, type Stage } from '../../e2e/stage.ts'
import { INCUSD } from '../installed.ts'
import { type Pair, startPair } from '../pair.ts'
import { importImage } from './guest.ts'
import { missingForMachines, withMachines } from './kit.ts'

export const VM = 'guest'
export const KEY = `main/default/${VM}`

/** Ends with `stage.close()`. Throws, saying what to install, where the lab can have none. */
export async function openMachines(): Promise<{ pair: Pair; stage: Stage }> {
  const missing = missingForMachines({ booting: true })
  if (missing !== null) throw new Error(missing)
  const incusd = await withMachines(process.env.LAB_INCUSD ?? INCUSD)
  const pair = await startPair({ daemons: { main: incusd, backup: incusd } })
  const stage = await openStage(async () => realTheatre(pair))
  await importImage(pair.main)
  return { pair, stage }
}
