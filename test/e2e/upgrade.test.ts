/** Real servers of 6.0 LTS that become 7.0 LTS in the middle of a policy's life: the daemon is replaced, the data stay. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { INCUSD, NEWER } from '../lab/installed.ts'
import { type Pair, startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { type EndState, readEndState, wantedEndState } from './end-state.ts'
import { realTheatre } from './real-theatre.ts'
import { openStage, type Stage } from './stage.ts'
import { furnish, KEPT, openTimeline, type Timeline } from './timeline.ts'

const INSTANCES = ['upgraded-web', 'upgraded-db']
const BYTES = 600_000
const SLOWLY = 300_000
/** Far enough into such a copy, in milliseconds. */
const AMIDST = 800

type Side = 'main' | 'backup'

function upgradesEndToEnd(first: Side, second: Side): void {
  describe(`${first} is upgraded, and then ${second} in mid-copy`, () => {
    let pair: Pair
    let stage: Stage
    let timeline: Timeline
    let before: EndState
    beforeAll(async () => {
      stage = await openStage(async () => {
        pair = await startPair()
        return realTheatre(pair)
      })
      await furnish(stage, INSTANCES)
      timeline = openTimeline(stage, INSTANCES, BYTES)
      return () => stage.close()
    })
    const hour = async (): Promise<void> => {
      await timeline.strike()
      await timeline.settle()
    }
    const expectEndState = async (): Promise<void> =>
      expect(await readEndState(stage, timeline)).toEqual(wantedEndState(timeline))

    test('before it, all is as it should be', async () => {
      for (let count = 0; count < KEPT + 1; count++) await hour()
      await expectEndState()
      before = await readEndState(stage, timeline)
    })

    test('after it every verified copy is still verified and readable, and none is gone', async () => {
      await pair[first].upgrade(NEWER)
      for (let minute = 0; minute < 5; minute++) await timeline.tick()
      expect(await readEndState(stage, timeline)).toEqual(before)
    })

    test('hours go on as before', async () => {
      for (let count = 0; count < 2; count++) await hour()
      await expectEndState()
    })

    test('the other, upgraded in mid-copy, loses no more than that copy', async () => {
      const { main } = pair
      await main.throttle(SLOWLY)
      await timeline.strike()
      await timeline.untilCopying()
      await sleep(AMIDST)
      const verified = await verifiedOf(timeline)
      await pair[second].upgrade(NEWER)
      await main.throttle(null)
      for (let minute = 0; minute < 2; minute++) await timeline.tick()
      const since = await verifiedOf(timeline)
      for (const [instance, names] of Object.entries(verified))
        expect(since[instance]).toEqual(expect.arrayContaining(names.slice(-1)))
      await timeline.settle()
      for (let count = 0; count < 2; count++) await hour()
      await expectEndState()
    })
  })
}

/** By instance, oldest first. */
async function verifiedOf(timeline: Timeline): Promise<Record<string, string[]>> {
  const all = await timeline.view()
  return Object.fromEntries(
    all.map(({ instance, copies }) => [instance, copies.flatMap(({ verified }) => verified).sort()]),
  )
}

onRealIncus('upgrades, end to end', () => {
  upgradesEndToEnd('backup', 'main')
  upgradesEndToEnd('main', 'backup')
}, [INCUSD, NEWER])
