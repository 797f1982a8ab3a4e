/** A running container on a pool without cheap snapshots: from backup, which is on dir, to main, on btrfs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { openStage, type Stage, type Theatre } from './stage.ts'

const WEB = 'e2e-live'
const HOUR = 3_600_000
const MINUTE = 60_000
/** What a snapshot copies, and so few bytes a second: it takes some seconds. */
const BYTES = 1_500_000
const SLOWLY = 500_000

/** A pair with a hand on the backup server: what its instance is doing, and a container that runs there. */
export type Watched = Theatre & {
  statusOf(name: string): Promise<string>
  run(name: string): Promise<void>
}

export function freezingEndToEnd(name: string, openPair: () => Promise<Watched>): void {
  describe(`freezing, end to end, on ${name}`, () => {
    let pair: Watched
    let stage: Stage
    let now = Math.floor(Date.now() / HOUR) * HOUR - 20 * HOUR
    beforeAll(async () => {
      pair = await openPair()
      stage = await openStage(async () => pair)
      await pair.run(WEB)
      await apply()
      await tick()
      await settle()
      return () => stage.close()
    })

    const apply = (allow?: 'freeze'): Promise<void> =>
      stage.apply({
        policies: {
          hourly: {
            select: { remotes: ['backup'], instances: [WEB] },
            schedule: '0 * * * *',
            keep: { last: 3 },
            copy: { remote: 'main', ...(allow === undefined ? {} : { allow }) },
          },
        },
      })
    const tick = async (): Promise<void> => {
      now += MINUTE
      await stage.worker.tick(new Date(now))
    }
    const nextHour = (): void => {
      now = Math.ceil((now + MINUTE) / HOUR) * HOUR - MINUTE
    }
    type Status = {
      copies: Record<string, { state: string }>
      runs: { thawed?: string[] }[]
      policies: Record<string, { slots: { outcome: string }[] }>
    }
    const status = async (): Promise<Status> =>
      (await (await stage.worker.fetch('/api/status')).json()) as Status
    const states = async () => Object.values((await status()).copies).map(({ state }) => state)
    const settle = async (): Promise<void> => {
      for (let minute = 0; minute < 50; minute++) {
        await tick()
        const known = await states()
        if (known.length > 0 && known.every((state) => state === 'verified')) return
        await sleep(200)
      }
      throw new Error(`its copy was not verified: ${JSON.stringify(await status())}`)
    }
    const thawed = async (): Promise<string[]> => (await status()).runs.flatMap((run) => run.thawed ?? [])
    const until = async (wanted: string): Promise<void> => {
      for (let tries = 0; tries < 200; tries++) {
        if ((await pair.statusOf(WEB)) === wanted) return
        await sleep(50)
      }
      throw new Error(`${WEB} is not ${wanted}`)
    }

    test('a copy of what runs freezes nothing', async () => {
      nextHour()
      await pair.backup.write({ name: WEB }, 'first', BYTES)
      await tick()
      await pair.backup.throttle(SLOWLY)
      const seen = new Set<string>()
      let over = false
      const watching = (async () => {
        while (!over) {
          seen.add(await pair.statusOf(WEB))
          await sleep(50)
        }
      })()
      await settle()
      over = true
      await watching
      await pair.backup.throttle(null)
      expect([...seen]).toEqual(['Running'])
    })

    test('killed while it froze the container for a snapshot, Incus leaves it frozen, and the next tick thaws it', async () => {
      nextHour()
      await pair.backup.write({ name: WEB }, 'second', BYTES)
      await pair.backup.throttle(SLOWLY)
      const ticking = tick()
      await until('Frozen')
      await pair.backup.kill()
      await pair.backup.start()
      await pair.backup.throttle(null)
      expect(await pair.statusOf(WEB)).toBe('Frozen')
      await ticking
      await tick()
      await until('Running')
      expect(await thawed()).toEqual([expect.stringContaining('its snapshot hourly-')])
      await settle()
    })

    test('so it does where the policy lets the copy freeze it', async () => {
      await apply('freeze')
      nextHour()
      await pair.backup.write({ name: WEB }, 'third', BYTES)
      await pair.backup.throttle(SLOWLY)
      await tick()
      for (let minute = 0; minute < 20 && !(await states()).includes('running'); minute++) await tick()
      await until('Frozen')
      await pair.backup.kill()
      await pair.backup.start()
      await pair.backup.throttle(null)
      expect(await pair.statusOf(WEB)).toBe('Frozen')
      for (let minute = 0; minute < 10 && (await thawed()).length < 2; minute++) await tick()
      await until('Running')
      expect((await thawed())[0]).toContain('its copy to main')
      await settle()
    })
  })
}
