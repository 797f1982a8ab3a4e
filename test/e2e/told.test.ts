/**
 * What is wrong is known two ticks later, on real daemons, though nothing is due: status, page and metrics say it, and
 * somebody is told. And so is its end, but for the message, which waits whether it lasts.
 */
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
const HOOK = 'https://hooks.example.org/ops'

/** What came at a stand-in of Slack. */
const messages: string[] = []

async function take(request: Request): Promise<Response> {
  const body = await request.text()
  messages.push(body)
  return new Response('ok')
}

async function signIn({ worker }: Stage): Promise<string> {
  const headers = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' }
  const body = new URLSearchParams({ token: worker.token }).toString()
  const entered = await worker.fetch('/sign-in', { method: 'POST', token: null, headers, body })
  return entered.headers.get('set-cookie')?.split(';')[0] ?? ''
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
    let cookie = ''
    beforeAll(async () => {
      pair = await startPair({ daemons: { main: INCUSD, backup: INCUSD } })
      stage = await openStage(async () => realTheatre(pair), {
        secrets: { NOTIFY_OPS: HOOK, KV_SETTLED_MS: '0' },
        outside: (request) => (request.url === HOOK ? take(request) : null),
      })
      await pair.main.createInstance({ name: NAME })
      await stage.apply(config)
      cookie = await signIn(stage)
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
    const isRed = async (): Promise<{ page: string; metric: string | undefined }> => {
      const page = await stage.worker.fetch('/', { token: null, headers: { cookie } })
      const metrics = await stage.worker.fetch('/metrics', { headers: { accept: 'text/plain' } })
      const lines = (await metrics.text()).split('\n')
      return {
        page: await page.text(),
        metric: lines.find((line) => line.startsWith('stapes_health{tone="bad"}')),
      }
    }

    test('begins well: what is promised is there, and verified', async () => {
      for (let ticks = 0; ticks < 8 && (await health()).status !== 200; ticks++) await tick()
      expect(await health()).toEqual({ status: 200, warnings: [] })
    })

    test.each<[string, () => Promise<unknown>, RegExp, string, () => Promise<unknown>]>([
      [
        'the backup server is killed',
        () => stage.pair.backup.kill(),
        /^backup has given no answer since /,
        'backup',
        () => stage.pair.backup.start(),
      ],
      [
        'an instance is made without a policy',
        () => pair.main.createInstance({ name: OTHER }),
        new RegExp(`^under no policy, so not backed up, is on main/default: ${OTHER}`),
        OTHER,
        () => pair.main.run('DELETE', `/1.0/instances/${OTHER}`),
      ],
      // Last: what has just ended within its alarm is no new one for some minutes.
      [
        'the relay is stopped',
        () => stage.relay.stop(),
        /^main has given no answer since .*relay/,
        'relay',
        () => stage.relay.start(),
      ],
    ])(
      '%s: that is red within two ticks, and told once, and green again two ticks after its end',
      async (_, begin, words, named, end) => {
        messages.length = 0
        await begin()
        await tick()
        await tick()
        expect(await health()).toEqual({
          status: 503,
          warnings: expect.arrayContaining([expect.stringMatching(words)]),
        })
        const { page, metric } = await isRed()
        expect([page.includes('Not everything is protected'), page.includes(named)]).toEqual([true, true])
        expect(metric).toBe('stapes_health{tone="bad"} 1')
        expect(messages).toEqual([expect.stringContaining(named)])
        await tick()
        expect(messages).toHaveLength(1)
        await end()
        await tick()
        await tick()
        expect(await health()).toEqual({ status: 200, warnings: [] })
        expect(await isRed()).toMatchObject({ metric: 'stapes_health{tone="bad"} 0' })
      },
    )

    test('the configuration is emptied: that is red at once', async () => {
      await stage.apply({ policies: {} })
      await tick()
      expect(await health()).toEqual({
        status: 503,
        warnings: expect.arrayContaining([expect.stringMatching(/^there are no policies/)]),
      })
    })
  })
})
