/** What is wrong is known two ticks later, on real daemons, though nothing is due; and so is its end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { INCUSD } from '../lab/installed.ts'
import { type Pair, startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { realTheatre } from './real-theatre.ts'
import { openStage, type Stage } from './stage.ts'

const MINUTE = 60_000
const NAME = 'e2e-told'
const OTHER = 'e2e-stray'

onRealIncus('what is wrong', () => {
  describe('what is wrong with real servers', () => {
    let pair: Pair
    let stage: Stage
    /** In the last minutes, so that nothing is dated in the future. */
    let minute = Math.floor(Date.now() / MINUTE) * MINUTE - 20 * MINUTE
    const first = new Date(minute + MINUTE)
    /** Due with the first tick, and then not for a day. */
    const config = {
      policies: {
        daily: {
          select: { remotes: ['main'], instances: [NAME] },
          schedule: `${first.getUTCMinutes()} ${first.getUTCHours()} * * *`,
          keep: { last: 3 },
          copy: { remote: 'backup' },
        },
      },
    }
    beforeAll(async () => {
      pair = await startPair({ daemons: { main: INCUSD, backup: INCUSD } })
      stage = await openStage(async () => realTheatre(pair))
      await pair.main.createInstance({ name: NAME })
      await stage.apply(config)
      return () => stage.close()
    })

    const tick = async (): Promise<void> => {
      minute += MINUTE
      await stage.worker.tick(new Date(minute))
      await sleep(200)
    }
    const health = async (): Promise<{ status: number; warnings: string[] }> => {
      const response = await stage.worker.fetch('/api/health')
      const { warnings } = (await response.json()) as { warnings: string[] }
      return { status: response.status, warnings }
    }
    test('begins well: what is promised is there, and verified', async () => {
      for (let ticks = 0; ticks < 8 && (await health()).status !== 200; ticks++) await tick()
      expect(await health()).toEqual({ status: 200, warnings: [] })
    })

    test.each<[string, () => Promise<unknown>, RegExp, () => Promise<unknown>]>([
      [
        'the relay is stopped',
        () => stage.relay.stop(),
        /^main has given no answer since .*relay/,
        () => stage.relay.start(),
      ],
      [
        'the backup server is killed',
        () => stage.pair.backup.kill(),
        /^backup has given no answer since /,
        () => stage.pair.backup.start(),
      ],
      [
        'an instance is made without a policy',
        () => pair.main.createInstance({ name: OTHER }),
        new RegExp(`^under no policy, so not backed up, is on main/default: ${OTHER}`),
        () => pair.main.run('DELETE', `/1.0/instances/${OTHER}`),
      ],
    ])(
      '%s: that is red within two ticks, and green again two ticks after its end',
      async (_, begin, words, end) => {
        await begin()
        await tick()
        await tick()
        const seen = await health()
        expect(seen).toEqual({
          status: 503,
          warnings: expect.arrayContaining([expect.stringMatching(words)]),
        })
        await end()
        await tick()
        await tick()
        expect(await health()).toEqual({ status: 200, warnings: [] })
      },
    )
  })
})
