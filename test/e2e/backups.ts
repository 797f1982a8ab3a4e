/** The whole way, from the cron trigger to a copy that can be restored, and all that may break on it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { readEndState, wantedEndState } from './end-state.ts'
import { openStage, type Stage, type Theatre } from './stage.ts'
import { applyPolicy, furnish, KEPT, openTimeline, type Timeline } from './timeline.ts'
import type { Call, Death } from './worker.ts'

const INSTANCES = ['e2e-web', 'e2e-db']
/** So much data, and for a copy that shall be interrupted so few bytes a second. */
const BYTES = 600_000
const SLOWLY = 300_000
/** One that a killed server cuts off: it must not near its end, however late a busy machine gets to kill. */
const CRAWLING = 30_000
/** Far enough into such a copy, in milliseconds. */
const AMIDST = 800

const DEATHS = (['look', 'take', 'read source', 'start copy', 'verify'] as Call[]).flatMap(
  (call): Death[] => [
    { call, when: 'before' },
    { call, when: 'after' },
  ],
)

export function backupsEndToEnd(name: string, openPair: () => Promise<Theatre>): void {
  describe(`backups, end to end, on ${name}`, { timeout: 240_000 }, () => {
    let stage: Stage
    let timeline: Timeline
    beforeAll(async () => {
      stage = await openStage(openPair)
      await furnish(stage, INSTANCES)
      timeline = openTimeline(stage, INSTANCES, BYTES)
      return () => stage.close()
    })

    const expectEndState = async (): Promise<void> => {
      expect(await readEndState(stage, timeline)).toEqual(wantedEndState(timeline))
    }
    /** What a fault has left undone, the next hour makes good. */
    const converge = async (): Promise<void> => {
      await timeline.settle()
      await timeline.strike()
      await timeline.settle()
      await expectEndState()
    }
    const copySlowly = async (bytesPerSecond = SLOWLY): Promise<void> => {
      await stage.pair.main.throttle(bytesPerSecond)
      await timeline.strike()
      await timeline.untilCopying()
      await sleep(AMIDST)
      await stage.pair.main.throttle(null)
    }

    test('snapshots are taken and expire, copies land, are refreshed and verified', async () => {
      for (let hour = 0; hour < KEPT + 2; hour++) {
        await timeline.strike()
        await timeline.settle()
      }
      await expectEndState()
    })

    test('every slot ends as served', async () => {
      const status = await stage.worker.fetch('/api/status')
      const { policies } = (await status.json()) as {
        policies: Record<string, { slots: { outcome: string }[] }>
      }
      const outcomes = policies.hourly?.slots.map(({ outcome }) => outcome)
      expect(outcomes).toEqual(new Array(KEPT + 2).fill('served'))
    })

    test.for(DEATHS)(
      'a Worker that dies $when its call to $call is followed by one that goes on',
      async (death) => {
        const before = stage.worker.deaths()
        stage.worker.dieAt(death)
        await timeline.strike()
        await timeline.settle()
        expect(stage.worker.deaths()).toBe(before + 1)
        await expectEndState()
      },
    )

    test('a relay that is down for a while delays, and loses nothing', async () => {
      await stage.relay.stop()
      await timeline.strike()
      for (let minute = 0; minute < 3; minute++) await timeline.tick()
      await stage.relay.start()
      await converge()
    })

    test('a relay that is replaced in mid-copy loses its watch, and the copy is verified all the same', async () => {
      await copySlowly()
      await stage.relay.stop()
      await stage.relay.start()
      await converge()
    })

    test.for(['main', 'backup'] as const)('%s, killed in mid-copy, leaves no phantom', async (victim) => {
      await copySlowly(CRAWLING)
      await stage.pair[victim].kill()
      for (let minute = 0; minute < 2; minute++) await timeline.tick()
      await stage.pair[victim].start()
      // Else it was killed too early or too late.
      expect(await noticesBreak(stage, timeline)).toBe(true)
      await converge()
    })

    test.for([
      ['between a snapshot and its copy', () => timeline.strike()],
      ['in mid-copy', () => copySlowly()],
    ] as const)('a KV wiped %s brings no second snapshot and no wrong deletion', async ([, reach]) => {
      await reach()
      await stage.worker.wipeKv()
      await applyPolicy(stage, INSTANCES)
      await converge()
    })
  })
}

/** Whether a tick finds, before all is well, that a transfer went wrong. */
async function noticesBreak({ worker }: Stage, timeline: Timeline): Promise<boolean> {
  for (let minute = 0; minute < 20; minute++) {
    await timeline.tick()
    const status = (await (await worker.fetch('/api/status')).json()) as {
      copies: Record<string, { attempts: number }>
    }
    if (Object.values(status.copies).some(({ attempts }) => attempts > 0)) return true
    await sleep(AMIDST / 4)
  }
  return false
}
