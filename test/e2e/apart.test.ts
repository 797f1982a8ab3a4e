/** Two real servers in networks of their own, which can't reach each other: the relay stands between them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { INCUSD, NEWER } from '../lab/installed.ts'
import { startPair } from '../lab/pair.ts'
import { openPlace, type Place, reaches } from '../lab/place.ts'
import { onRealIncus } from '../lab/real.ts'
import { readEndState, wantedEndState } from './end-state.ts'
import { realTheatre } from './real-theatre.ts'
import { openStage, type Stage } from './stage.ts'
import { applyPolicy, furnish, openTimeline } from './timeline.ts'

const INSTANCES = ['apart']
const BYTES = 600_000
const SLOWLY = 150_000
/** Far enough into such a copy, in milliseconds. */
const AMIDST = 800

onRealIncus('copies between servers that can’t reach each other', () => {
  test.for([
    ['6.0', INCUSD],
    ['7.0', NEWER],
  ] as const)(
    'copies of %s are made, refreshed and verified, and a relay that dies meanwhile goes on',
    { timeout: 240_000 },
    async ([, incusd]) => {
      const [main, backup] = [await openPlace(), await openPlace()]
      try {
        const daemons = { main: incusd, backup: incusd }
        const stage = await openStage(async () =>
          realTheatre(await startPair({ daemons, places: { main, backup } })),
        )
        await copying(stage, { main, backup }).finally(stage.close)
      } finally {
        await Promise.all([main.close(), backup.close()])
      }
    },
  )
}, [INCUSD, NEWER])

async function copying(stage: Stage, { main, backup }: { main: Place; backup: Place }): Promise<void> {
  const { pair } = stage
  const [here, there] = [new URL(pair.main.url), new URL(pair.backup.url)]
  expect(await reaches(main, here.hostname, here.port)).toBe(true)
  expect(await reaches(main, there.hostname, there.port)).toBe(false)
  expect(await reaches(backup, here.hostname, here.port)).toBe(false)
  await furnish(stage, INSTANCES)
  await applyPolicy(stage, INSTANCES, { transferMode: 'relay' })
  const timeline = openTimeline(stage, INSTANCES, BYTES)
  for (let hour = 0; hour < 2; hour += 1) {
    await timeline.strike()
    await timeline.settle()
  }
  expect(await readEndState(stage, timeline)).toEqual(wantedEndState(timeline))
  await pair.main.throttle(SLOWLY)
  await timeline.strike()
  await timeline.untilCopying()
  await sleep(AMIDST)
  await stage.relay.stop()
  await pair.main.throttle(null)
  await stage.relay.start()
  await timeline.settle()
  expect(await readEndState(stage, timeline)).toEqual(wantedEndState(timeline))
}
