/**
 * What goes wrong in time, on real daemons: all that says how things are says it within two minutes of when it could
 * be known, also the page in a real browser. By each service somebody is told of it once, and of its end once.
 */
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { INCUSD } from '../lab/installed.ts'
import { replaceCertificate } from '../lab/other-certificate.ts'
import { type Pair, startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { addSmallPool, type SmallPool } from '../lab/small-pool.ts'
import { allTell } from './all-tell.ts'
import { copyBack } from './copy-back.ts'
import { type Watched, watch } from './watched.ts'

vi.spyOn(console, 'log').mockImplementation(() => {})

const NAME = 'e2e-troubled'
const AGAIN = 'e2e-again'
const NARROW = 'e2e-narrow'
const MIB = 1024 * 1024
const SLOWLY = 100_000

type CopyView = { state: string; attempts: number }

const policyOf = (instance: string, more: object) => ({
  select: { remotes: ['main'], instances: [instance] },
  // A promise is broken much later: what is told is what went wrong.
  ...{ schedule: '*/10 * * * *', keep: { last: 9 }, promise: { snapshot: '3h', copy: '3h' } },
  ...more,
})

const POLICIES = {
  kept: policyOf(NAME, { copy: { remote: 'backup' } }),
  narrow: policyOf(NARROW, {}),
}

onRealIncus('what goes wrong in time', () => {
  describe('what goes wrong in time, on two real daemons', () => {
    let pair: Pair
    let watched: Watched
    let pools: { narrow: SmallPool; small: SmallPool }

    beforeAll(async () => {
      pair = await startPair({ daemons: { main: INCUSD, backup: INCUSD } })
      const { dir, main, backup } = pair
      pools = {
        narrow: await addSmallPool(main, { dir, name: 'narrow', bytes: 8 * MIB }),
        small: await addSmallPool(backup, { dir, name: 'small', bytes: 24 * MIB }),
      }
      const rootOn = (pool: string) => ({ root: { type: 'disk', path: '/', pool } })
      await backup.run('PATCH', '/1.0/profiles/default', { devices: rootOn('small') })
      watched = await watch(pair)
      await main.createInstance({ name: NAME })
      await main.write({ name: NAME }, 'at first', MIB)
      const source = { type: 'none' }
      await main.run('POST', '/1.0/instances', { name: NARROW, source, devices: rootOn('narrow') })
      await watched.apply(POLICIES)
      return () => watched.close()
    })
    beforeEach(() => watched.services.clear())
    const pass = (minutes?: number) => watched.pass(minutes)
    const strike = async (): Promise<void> => {
      while (watched.stage.worker.now().getUTCMinutes() % 10 !== 9) await watched.stage.worker.pass()
      await pass()
    }
    const healthOf = async (): Promise<number> => (await watched.stage.worker.fetch('/api/health')).status
    const slotsOf = async (policy: string): Promise<unknown> => {
      const status = await (await watched.stage.worker.fetch('/api/status')).json()
      return (status as { policies: Record<string, { slots: unknown }> }).policies[policy]?.slots
    }
    const copyOf = async (): Promise<CopyView> => {
      const status = await (await watched.stage.worker.fetch('/api/status')).json()
      const copies = (status as { copies: Record<string, CopyView> }).copies
      return copies[`main/default/${NAME}>backup/default/${NAME}`] ?? { state: 'there is none', attempts: 0 }
    }
    const snapshotsOn = async (side: 'main' | 'backup'): Promise<string[]> => {
      const listed = (await pair[side].run('GET', `/1.0/instances/${NAME}/snapshots`)) as string[]
      return listed.map((path) => path.slice(path.lastIndexOf('/') + 1)).sort()
    }

    test('begins well', async () => {
      await strike()
      await pass(4)
      await allTell(watched.stage, 'good')
      watched.services.expectTold([])
    })

    test('the pool of a source is full: the slot is served once there is room again', async () => {
      await pools.narrow.fill()
      await strike()
      const slot = watched.stage.worker.now().toISOString()
      await pass()
      await watched.isTold(
        /^main\/default\/e2e-narrow has no snapshot of .* \(2 tries\): no space is left: .* \(free space in the pool/,
        'stapes_slot_failed_attempts{policy="narrow",subject="main/default/e2e-narrow"} 2',
        /no space is left/,
      )
      await pools.narrow.empty()
      await watched.isOver()
      expect(await slotsOf('narrow')).toContainEqual(
        expect.objectContaining({ slot, outcome: 'served', reason: expect.stringContaining('taken late') }),
      )
    })

    test('the pool of the backup server is full: the copy is made once there is room again', async () => {
      await pair.main.write({ name: NAME }, 'more', MIB)
      await pools.small.fill()
      await strike()
      const [before, newest] = [await snapshotsOn('backup'), (await snapshotsOn('main')).at(-1)]
      // Snapshot, first try, second try: each is seen a minute later.
      for (let minute = 0; minute < 9 && (await healthOf()) === 200; minute++) await pass()
      await watched.isTold(
        // Incus may say only that the sending side failed.
        /^the copy of main\/default\/e2e-troubled>\S+ failed \(2 tries\): .*(No space left|is its pool full)/,
        `stapes_work_failed_attempts{kind="copy",subject="main/default/${NAME}",target="backup/default/${NAME}"} 2`,
        /failed \(2 tries\)/,
      )
      expect(watched.services.toldTo('webhook')[0]).toMatch(
        /What to do: (free space in the storage pool|look whether the storage pool)/,
      )
      expect(await snapshotsOn('backup')).toEqual(expect.arrayContaining(before))
      // While the next try runs, too.
      for (let minute = 0; minute < 3; minute++) {
        await pass()
        expect(await healthOf()).toBe(503)
      }
      await pools.small.empty()
      await watched.isOver()
      expect(await snapshotsOn('backup')).toContain(newest)
    })

    test('the certificate of the backup server is another one: nothing is done there until it is the old one again', async () => {
      const { backup } = pair
      const before = await backup.run('GET', '/1.0/instances?recursion=2')
      const restored = await replaceCertificate(backup)
      await strike()
      await pass()
      await watched.isTold(
        /^backup has given no answer since .* shows certificate [0-9a-f]{64}, which isn't the pinned one: nothing was sent/,
        'stapes_remote_answers{remote="backup"} 0',
        /certificate/,
      )
      expect(watched.services.toldTo('webhook')[0]).toContain('npm run trust -- backup --renew-server')
      expect(await backup.run('GET', '/1.0/instances?recursion=2')).toEqual(before)
      const newest = (await snapshotsOn('main')).at(-1)
      expect(await snapshotsOn('backup')).not.toContain(newest)
      await restored()
      await watched.isOver()
      expect(await snapshotsOn('backup')).toContain(newest)
    })

    test('ticks stop in a copy, and its server dies meanwhile: the copy’s entry is set right, and the copy is made', async () => {
      const { main, backup } = pair
      await main.write({ name: NAME }, 'slowly', MIB)
      await strike()
      await main.throttle(SLOWLY)
      const newest = (await snapshotsOn('main')).at(-1)
      for (let minute = 0; minute < 5 && (await copyOf()).state !== 'running'; minute++)
        await watched.stage.worker.pass()
      expect((await copyOf()).state).toBe('running')
      await backup.kill()
      await main.throttle(null)
      watched.stage.worker.skip(8)
      await allTell(watched.stage, 'bad', [/^work has been due since .*, and no tick has come for \d+ min/])
      await watched.stage.worker.pass()
      await watched.isTold(
        /^backup has given no answer since /,
        'stapes_remote_answers{remote="backup"} 0',
        /backup/,
      )
      expect((await copyOf()).state).not.toBe('verified')
      await backup.start()
      await watched.isOver()
      expect(await copyOf()).toMatchObject({ attempts: 0 })
      expect(await snapshotsOn('backup')).toContain(newest)
    })

    test('an instance is brought back from its copy under another name: nobody backs that up, until it is gone', async () => {
      await copyBack(pair, NAME, AGAIN)
      await pass(2)
      await watched.isTold(
        new RegExp(`^under no policy, so not backed up, is on main/default: ${AGAIN}\\. `),
        'stapes_unprotected_instances{remote="main",project="default"} 1',
        new RegExp(AGAIN),
      )
      await pair.main.run('DELETE', `/1.0/instances/${AGAIN}`)
      await watched.isOver()
    })
  })
})
