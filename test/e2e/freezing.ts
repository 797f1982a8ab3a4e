/** A running container on a pool without cheap snapshots: from backup, which is on dir, to main, on btrfs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { nextSecond, openStage, type Stage, type Theatre } from './stage.ts'

/** Two that run: of one the copy may be inconsistent, as it is by default, of the other it may not. */
const LIVE = 'e2e-live'
const WHOLE = 'e2e-whole'
const HOUR = 3_600_000
const MINUTE = 60_000
/** What a snapshot copies, and so few bytes a second: it takes some seconds. */
const BYTES = 1_500_000
const SLOWLY = 500_000

/** A pair with a hand on the backup server: what its instance is doing, and a container that runs there. */
type Watched = Theatre & {
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
      stage = await openStage(async () => ({ ...pair, mutual: true }))
      for (const name of [LIVE, WHOLE]) await pair.run(name)
      await stage.apply({
        defaults: { schedule: '0 * * * *', keep: { last: 3 }, copy: { remote: 'main' } },
        policies: { live: policyOf(LIVE), whole: { ...policyOf(WHOLE), copy: { allow: 'freeze' } } },
      })
      await strike()
      await settle()
      return () => stage.close()
    })

    const policyOf = (instance: string) => ({ select: { remotes: ['backup'], instances: [instance] } })
    const tick = async (): Promise<void> => {
      now += MINUTE
      await stage.worker.tick(new Date(now))
    }
    type Status = {
      copies: Record<string, { state: string; newest?: string }>
      runs: { thawed?: string[] }[]
    }
    const status = async (): Promise<Status> =>
      (await (await stage.worker.fetch('/api/status')).json()) as Status
    const copyOf = async (name: string) =>
      (await status()).copies[`backup/default/${name}>main/default/${name}`]
    /** Fresh data, and the next hour's first tick; what is verified before that is not what is waited for. */
    let before: (string | undefined)[] = []
    const strike = async (slowly = false): Promise<void> => {
      now = Math.ceil((now + MINUTE) / HOUR) * HOUR - MINUTE
      before = await newest()
      await nextSecond()
      for (const name of [LIVE, WHOLE]) await pair.backup.write({ name }, `at ${now}`, BYTES)
      if (slowly) await pair.backup.throttle(SLOWLY)
      await tick()
    }
    const newest = async () => Promise.all([LIVE, WHOLE].map(async (name) => (await copyOf(name))?.newest))
    const settle = async (): Promise<void> => {
      for (let minute = 0; minute < 55; minute++) {
        const known = await newest()
        if (known.every((one, at) => one !== undefined && one !== before[at])) return
        await sleep(200)
        await tick()
      }
      throw new Error(`its copy was not verified: ${JSON.stringify(await status())}`)
    }
    const thawed = async (): Promise<string[]> => (await status()).runs.flatMap((run) => run.thawed ?? [])
    const until = async (name: string, wanted: string): Promise<void> => {
      for (let tries = 0; tries < 200; tries++) {
        if ((await pair.statusOf(name)) === wanted) return
        await sleep(50)
      }
      throw new Error(`${name} is not ${wanted}`)
    }
    const killInTheMiddle = async (name: string): Promise<void> => {
      await until(name, 'Frozen')
      await pair.backup.kill()
      await pair.backup.start()
      await pair.backup.throttle(null)
      expect(await pair.statusOf(name)).toBe('Frozen')
    }

    test('a copy freezes nothing that runs, unless the policy wants that', async () => {
      await strike()
      await pair.backup.throttle(SLOWLY)
      const seen = { [LIVE]: new Set<string>(), [WHOLE]: new Set<string>() }
      let over = false
      const watching = (async () => {
        while (!over) {
          for (const [name, states] of Object.entries(seen)) states.add(await pair.statusOf(name))
          await sleep(50)
        }
      })()
      await settle()
      over = true
      await watching
      await pair.backup.throttle(null)
      expect([...seen[LIVE]]).toEqual(['Running'])
      // Incus also says Freezing, for a moment.
      const settled = [...seen[WHOLE]].filter((status) => status !== 'Freezing')
      expect(settled.sort()).toEqual(['Frozen', 'Running'])
    })

    test('killed while it froze them for a snapshot, Incus leaves them frozen, and the next tick thaws them', async () => {
      const striking = strike(true)
      await killInTheMiddle(LIVE)
      await striking
      await tick()
      for (const name of [LIVE, WHOLE]) await until(name, 'Running')
      expect(await thawed()).toContainEqual(expect.stringContaining(`${LIVE}: its snapshot live-`))
      await settle()
    })

    test('so it does where the policy lets the copy freeze one', async () => {
      await strike()
      await pair.backup.throttle(SLOWLY)
      for (let minute = 0; minute < 20 && (await copyOf(WHOLE))?.state !== 'running'; minute++) await tick()
      await killInTheMiddle(WHOLE)
      const why = `${WHOLE}: its copy to main`
      for (let minute = 0; minute < 10 && !(await thawed()).join().includes(why); minute++) await tick()
      await until(WHOLE, 'Running')
      expect(await thawed()).toContainEqual(expect.stringContaining(why))
      await settle()
    })

    /** With a volume of its own, which is snapshotted together with it. */
    const VOLUME = 'e2e-group'
    const KEY = `backup/default/${LIVE}`
    type Served = { policies: { live: { slots: { outcome: string; paused?: Record<string, number> }[] } } }
    const slots = async () =>
      ((await (await stage.worker.fetch('/api/status')).json()) as Served).policies.live.slots
    const view = async (instance: string): Promise<string[]> => {
      const all = (await (await stage.worker.fetch('/api/instances')).json()) as {
        instances: { instance: string; snapshots: { name: string }[] }[]
      }
      const [one] = all.instances.filter((each) => each.instance === instance)
      return (one?.snapshots ?? []).map((each) => each.name).sort()
    }
    const grouped = async () => [await view(KEY), await view(`backup/default/default:${VOLUME}`)]
    const nextHour = async (slowly: boolean): Promise<void> => {
      now = Math.ceil((now + MINUTE) / HOUR) * HOUR - MINUTE
      await pair.backup.write({ name: LIVE }, `at ${now}`, BYTES)
      if (slowly) await pair.backup.throttle(SLOWLY)
      await tick()
    }

    test('a group stands still from its first snapshot to its last, and then runs', async () => {
      await pair.backup.attachVolume({ name: LIVE }, VOLUME)
      const live = { ...policyOf(LIVE), schedule: '0 * * * *', together: true }
      await stage.apply({
        policies: { live: { ...live, select: { ...live.select, volumes: ['attached'] } } },
      })
      await nextHour(false)
      expect(await pair.statusOf(LIVE)).toBe('Running')
      const [newest] = await slots()
      expect(newest).toMatchObject({ outcome: 'served', paused: { [KEY]: expect.any(Number) } })
      const [ofInstance = [], ofVolume = []] = await grouped()
      expect(ofInstance.at(-1)).toBe(ofVolume.at(-1))
    })

    test('killed meanwhile, it runs again as soon as its server is back, and no part of it is left', async () => {
      const [before = [], beforeOf = []] = await grouped()
      const striking = nextHour(true)
      await until(LIVE, 'Frozen')
      await pair.backup.kill()
      await pair.backup.start()
      await pair.backup.throttle(null)
      await until(LIVE, 'Running')
      await striking
      await tick()
      for (let minute = 0; minute < 20 && (await view(KEY)).length <= before.length; minute++) {
        await sleep(200)
        await tick()
      }
      const [after = [], afterOf = []] = await grouped()
      expect(after.length).toBe(before.length + 1)
      expect(afterOf.length).toBe(beforeOf.length + 1)
      expect(after.at(-1)).toBe(afterOf.at(-1))
      expect(await pair.statusOf(LIVE)).toBe('Running')
    })
  })
}
