/**
 * What is wrong though nothing is due, on real daemons: status, health, page and metrics say it two ticks later, the
 * page in a real browser, and each service of notifications is told once, and once of its end.
 */
import { beforeAll, beforeEach, describe, test, vi } from 'vitest'
import { INCUSD } from '../lab/installed.ts'
import { type Pair, startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { allTell } from './all-tell.ts'
import { copyBack } from './copy-back.ts'
import { type Watched, watch } from './watched.ts'

vi.spyOn(console, 'log').mockImplementation(() => {})

const NAME = 'e2e-watched'
const STRAY = 'e2e-stray'
const LEFT = new RegExp(
  `^main/default/${NAME}: it was copied back from its copy and is backed up again, but `,
)

onRealIncus('that all are told', () => {
  describe('each service is told, by two real daemons', () => {
    let pair: Pair
    let watched: Watched
    let policies: object

    beforeAll(async () => {
      pair = await startPair({ daemons: { main: INCUSD, backup: INCUSD } })
      watched = await watch(pair)
      await pair.main.createInstance({ name: NAME })
      /** Due with the first tick, and then not for a day. */
      const first = new Date(watched.stage.worker.now().getTime() + 60_000)
      policies = {
        daily: {
          select: { remotes: ['main'], instances: [NAME] },
          schedule: `${first.getUTCMinutes()} ${first.getUTCHours()} * * *`,
          keep: { last: 3 },
          copy: { remote: 'backup' },
        },
      }
      await watched.apply(policies)
      return () => watched.close()
    })
    beforeEach(() => watched.services.clear())

    test('begins well', async () => {
      await watched.pass(5)
      await allTell(watched.stage, 'good')
      watched.services.expectTold([])
    })

    test.each<[string, RegExp, string, RegExp, () => Promise<unknown>, () => Promise<unknown>]>([
      [
        'the relay is stopped',
        /^main has given no answer since .*relay/,
        'stapes_remote_answers{remote="main"} 0',
        /the relay gives no usable answer/,
        () => watched.stage.relay.stop(),
        () => watched.stage.relay.start(),
      ],
      [
        'the backup server is killed',
        /^backup has given no answer since /,
        'stapes_remote_answers{remote="backup"} 0',
        /backup gives no answer/,
        () => pair.backup.kill(),
        () => pair.backup.start(),
      ],
      [
        'an instance is made without a policy',
        /^under no policy, so not backed up, is on main\/default: e2e-stray\. /,
        'stapes_unprotected_instances{remote="main",project="default"} 1',
        /e2e-stray/,
        () => pair.main.createInstance({ name: STRAY }),
        () => pair.main.run('DELETE', `/1.0/instances/${STRAY}`),
      ],
      [
        'the configuration is emptied',
        /^there are no policies, so nothing is backed up/,
        'stapes_health{tone="bad"} 1',
        /there are no policies/,
        () => watched.apply({}),
        () => watched.apply(policies),
      ],
    ])(
      '%s: that is red within two ticks, and over by itself',
      async (_, words, metric, title, begin, end) => {
        await begin()
        await watched.pass(2)
        await watched.isTold(words, metric, title)
        await watched.pass()
        watched.services.expectTold([title])
        await end()
        await watched.isOver()
      },
    )

    test('one is lost: that is red and told; it is brought back, is backed up again, and what is left of the copy needs a look', async () => {
      const it = `/1.0/instances/${NAME}`
      await pair.main.run('DELETE', it)
      await watched.pass(2)
      await watched.isTold(
        new RegExp(`^nothing of what was covered in main/default is listed any more: .*${NAME}`),
        'stapes_health{tone="bad"} 1',
        new RegExp(NAME),
      )
      await copyBack(pair, NAME)
      await watched.pass(2)
      await allTell(watched.stage, 'warning', [LEFT])
      const { config } = (await pair.main.run('GET', it)) as { config: Record<string, string> }
      const own = Object.keys(config).filter((key) =>
        /^(user\.stapes|boot\.autostart|snapshots\.schedule)/.test(key),
      )
      await pair.main.run('PATCH', it, { config: Object.fromEntries(own.map((key) => [key, ''])) })
      // Nothing that a glance sees has changed: the next look shows it.
      await watched.stage.worker.fetch('/api/run', { method: 'POST', body: '{}' })
      await watched.isOver()
    })
  })
})
