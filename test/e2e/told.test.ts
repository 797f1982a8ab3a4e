/**
 * What is wrong is known two ticks later, by the Worker in workerd and real daemons, though nothing is due: status, page
 * and metrics say it, and somebody is told. And so is its end, but for the message, which waits whether it lasts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { INCUSD } from '../lab/installed.ts'
import { type Pair, startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { allTell, toneOf } from './all-tell.ts'
import { realTheatre } from './real-theatre.ts'
import { openStage, type Stage } from './stage.ts'

const MINUTE = 60_000
const NAME = 'e2e-told'
const OTHER = 'e2e-stray'
const HOOK = 'https://hooks.example.org/ops'

/** What came at a stand-in of Slack. */
const messages: string[] = []

async function take(request: Request): Promise<Response> {
  const body = await request.text()
  messages.push(body)
  return new Response('ok')
}

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
      notify: { ops: { type: 'slack', url: { secret: 'NOTIFY_OPS' } } },
    }
    beforeAll(async () => {
      pair = await startPair({ daemons: { main: INCUSD, backup: INCUSD } })
      stage = await openStage(async () => realTheatre(pair), {
        secrets: { NOTIFY_OPS: HOOK, KV_SETTLED_MS: '0' },
        outside: (request) => (request.url === HOOK ? take(request) : null),
      })
      await pair.main.createInstance({ name: NAME })
      await stage.apply(config)
      return () => stage.close()
    })

    const tick = async (): Promise<void> => {
      minute += MINUTE
      await stage.worker.tick(new Date(minute))
      await sleep(200)
    }
    test('begins well: what is promised is there, and verified', async () => {
      for (let ticks = 0; ticks < 8 && (await toneOf(stage.worker)) !== 'good'; ticks++) await tick()
      await allTell(stage, 'good')
    })

    test.each<[string, () => Promise<unknown>, RegExp, string, string, () => Promise<unknown>]>([
      [
        'the backup server is killed',
        () => stage.pair.backup.kill(),
        /^backup has given no answer since /,
        'backup',
        'stapes_remote_answers{remote="backup"} 0',
        () => stage.pair.backup.start(),
      ],
      [
        'an instance is made without a policy',
        () => pair.main.createInstance({ name: OTHER }),
        new RegExp(`^under no policy, so not backed up, is on main/default: ${OTHER}`),
        OTHER,
        'stapes_unprotected_instances{remote="main",project="default"} 1',
        () => pair.main.run('DELETE', `/1.0/instances/${OTHER}`),
      ],
      // Last: what has just ended within its alarm is no new one for some minutes.
      [
        'the relay is stopped',
        () => stage.relay.stop(),
        /^main has given no answer since .*relay/,
        'relay',
        'stapes_remote_answers{remote="main"} 0',
        () => stage.relay.start(),
      ],
    ])(
      '%s: that is red within two ticks, and told once, and green again two ticks after its end',
      async (_, begin, words, named, metric, end) => {
        messages.length = 0
        await begin()
        await tick()
        await tick()
        await allTell(stage, 'bad', [words], metric)
        expect(messages).toEqual([expect.stringContaining(named)])
        await tick()
        expect(messages).toHaveLength(1)
        await end()
        await tick()
        await tick()
        await allTell(stage, 'good')
      },
    )
  })
})
