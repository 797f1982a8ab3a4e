/** A real backup server that is killed in a first copy. On dir, 7.0 leaves a mount that only a person can remove. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { INCUSD, NEWER } from '../lab/installed.ts'
import { startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { readEndState, wantedEndState } from './end-state.ts'
import { realTheatre } from './real-theatre.ts'
import { openStage, type Stage } from './stage.ts'
import { furnish, openTimeline } from './timeline.ts'

const INSTANCE = 'first-copy'
const BYTES = 600_000
const SLOWLY = 300_000
/** Far enough into such a copy, in milliseconds. */
const AMIDST = 800

onRealIncus('a first copy that was killed', () => {
  test.for([
    ['6.0', INCUSD],
    ['7.0', NEWER],
  ] as const)(
    'a first copy that was killed on %s is made again, or says what is in the way',
    { timeout: 240_000 },
    async ([, incusd]) => {
      const stage = await openStage(async () =>
        realTheatre(await startPair({ daemons: { main: incusd, backup: incusd } })),
      )
      try {
        await furnish(stage, [INSTANCE])
        const timeline = openTimeline(stage, [INSTANCE], BYTES)
        const { main, backup } = stage.pair
        await main.throttle(SLOWLY)
        await timeline.strike()
        await timeline.untilCopying()
        await sleep(AMIDST)
        await backup.kill()
        await main.throttle(null)
        await backup.start()
        if (incusd === NEWER) {
          expect(await reasonOf(stage, () => timeline.tick())).toMatch(
            new RegExp(`device or resource busy.*"umount [^"]*/containers/${INSTANCE}" there`),
          )
          await backup.unmount({ name: INSTANCE })
        }
        await timeline.settle()
        expect(await readEndState(stage, timeline)).toEqual(wantedEndState(timeline))
      } finally {
        await stage.close()
      }
    },
  )
}, [INCUSD, NEWER])

/** Why the copy goes on no further, once something is said of a mount. */
async function reasonOf({ worker }: Stage, tick: () => Promise<unknown>): Promise<string> {
  let said = ''
  for (let minute = 0; minute < 20 && !said.includes('umount'); minute++) {
    await tick()
    const status = await (await worker.fetch('/api/status')).json()
    said = JSON.stringify((status as { copies: unknown }).copies)
    await sleep(100)
  }
  return said.replaceAll('\\"', '"')
}
