/** Keeps the Worker running: one whose process ended, or that gives no answer, is started again. */
import type { Cleanup } from './cleanup.ts'
import type { Worker } from './worker.ts'

/** After so many ends within so many milliseconds it is given up. */
const MOST_ENDS = 5
const WITHIN = 600_000

type Keeping = {
  start(): Promise<Worker>
  say(line: string): void
  /** It can't be kept running. */
  giveUp(why: string): void
}

/** Returns a function that gives the running Worker. */
export async function keepWorker(keeping: Keeping, cleanup: Cleanup): Promise<() => Worker> {
  let worker = await keeping.start()
  const keep = async (): Promise<void> => {
    const ends: number[] = []
    while (!cleanup.ending) {
      const why = await worker.ended
      if (cleanup.ending) return
      await worker.stop()
      ends.push(Date.now())
      if (ends.filter((end) => end > Date.now() - WITHIN).length > MOST_ENDS)
        return keeping.giveUp(`the Worker keeps ending, the last time because ${why}`)
      keeping.say(`the Worker has to be started again: ${why}`)
      worker = await keeping.start()
      keeping.say('the Worker is running again')
    }
  }
  void keep().catch((error: Error) => keeping.giveUp(error.message))
  return () => worker
}
