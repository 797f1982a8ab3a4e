/** What the Worker in workerd tells monitors: metrics, and dead man's switches. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openEmbedded } from '../emulator/contract-pair.ts'
import { openStage } from './stage.ts'

const MINUTE = 60_000

/** Whole minutes, from a little ago on. */
const minuteAt = (count: number): Date =>
  new Date(Math.floor(Date.now() / MINUTE) * MINUTE - 20 * MINUTE + count * MINUTE)

test('a policy’s start, success and failure reach its switch, and the metrics change', async () => {
  const pings: string[] = []
  const outside = (request: Request): Promise<Response> | null => {
    const url = new URL(request.url)
    if (url.hostname !== 'hc.example.org') return null
    return request.text().then((body) => {
      pings.push(`${url.pathname} ${body}`.trim())
      return new Response('OK')
    })
  }
  const stage = await openStage(async () => ({ ...(await openEmbedded()), restore: async () => null }), {
    ...{ secrets: { PING_ALL: 'https://hc.example.org/key' }, outside },
  })
  const metric = async (name: string): Promise<string | undefined> => {
    const headers = { accept: 'text/plain' }
    const text = await (await stage.worker.fetch('/metrics', { headers })).text()
    return text.split('\n').find((line) => line.startsWith(name))
  }
  try {
    await stage.pair.main.createInstance({ name: 'watched' })
    const ping = { type: 'healthchecks', url: { secret: 'PING_ALL' }, slug: true, every: '1m' }
    // Due with the first tick, and not again before now.
    const first = minuteAt(0)
    const schedule = `${first.getUTCMinutes()} ${first.getUTCHours()} * * *`
    await stage.apply({ policies: { hourly: { remotes: ['main'], schedule, ping } } })
    expect(await stage.worker.tick(first)).toBe('ok')
    await sleep(100)
    expect(pings).toEqual(['/key/hourly/start', '/key/hourly'])
    expect(await metric('stapes_promise_kept')).toMatch(/subject="main\/default\/watched"\} 1$/)
    await stage.relay.stop()
    for (const minute of [1, 2, 3]) await stage.worker.tick(minuteAt(minute))
    expect(pings.at(-1)).toMatch(/^\/key\/hourly\/fail main has given no answer since /)
    expect(await metric('stapes_health{tone="bad"}')).toBe('stapes_health{tone="bad"} 1')
    expect(await metric('stapes_remote_answers{remote="main"}')).toMatch(/ 0$/)
    await stage.relay.start()
    for (const minute of [4, 5]) await stage.worker.tick(minuteAt(minute))
    expect(pings.at(-1)).toBe('/key/hourly')
    expect(await metric('stapes_health{tone="bad"}')).toBe('stapes_health{tone="bad"} 0')
  } finally {
    await stage.close()
  }
}, 120_000)
