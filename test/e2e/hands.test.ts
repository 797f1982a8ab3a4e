/** What people do to both servers between two copies, on real daemons: no good copy is lost by it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { INCUSD, NEWER } from '../lab/installed.ts'
import type { Pair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { backUp } from './backed-up.ts'
import { copyBack } from './copy-back.ts'
import { realTheatre } from './real-theatre.ts'
import { nextSecond, openStage, type Stage } from './stage.ts'
import { applyPolicy, POLICY, type Timeline } from './timeline.ts'

const NAME = 'e2e-hands'
const IT = `/1.0/instances/${NAME}`
const BYTES = 200_000
/** Keys that differ in case alone: to Incus they are two. */
const PROXIES = { 'environment.http_proxy': 'http://a', 'environment.HTTP_PROXY': 'http://b' }

type Listed = { name: string; expires_at: string }

for (const [version, incusd] of [
  ['6.0', INCUSD],
  ['7.0', NEWER],
] as const)
  onRealIncus(`what people do to copies, on ${version}`, () => handsEndToEnd(version, incusd), [incusd])

function handsEndToEnd(version: string, incusd: string): void {
  describe(`what people do to copies, on two real daemons of ${version}`, () => {
    let pair: Pair
    let stage: Stage
    let timeline: Timeline
    beforeAll(async () => {
      const prepare = ({ main }: Pair): Promise<unknown> => main.run('PATCH', IT, { config: PROXIES })
      const begun = await backUp(incusd, [NAME], { bytes: BYTES, hours: 2, prepare })
      pair = begun.pair
      stage = begun.stage
      timeline = begun.timeline
      return () => stage.close()
    })

    const snapshotsOn = async (side: 'main' | 'backup'): Promise<Listed[]> =>
      (await pair[side].run('GET', `${IT}/snapshots?recursion=1`)) as Listed[]
    const namesOn = async (side: 'main' | 'backup') =>
      (await snapshotsOn(side)).map(({ name }) => name).sort()
    const configOn = async (side: 'main' | 'backup') =>
      ((await pair[side].run('GET', IT)) as { config: Record<string, string> }).config
    const problems = async (): Promise<string> => {
      for (let minute = 0; minute < 4; minute++) {
        await timeline.tick()
        await sleep(200)
      }
      const status = (await (await stage.worker.fetch('/api/status')).json()) as {
        copies: Record<string, { reason?: string }>
      }
      return Object.values(status.copies)
        .map(({ reason = '' }) => reason)
        .join('\n')
    }

    test('its environment keys differ in case alone: its copy has both', async () => {
      expect(await configOn('backup')).toMatchObject(PROXIES)
    })

    test('a copy that is moved to another pool is refreshed there', async () => {
      await pair.backup.run('POST', '/1.0/storage-pools', { name: 'other', driver: 'dir', config: {} })
      await pair.backup.run('POST', IT, { name: NAME, migration: true, pool: 'other' })
      await timeline.strike()
      await timeline.settle()
      const { devices } = (await pair.backup.run('GET', IT)) as { devices: Record<string, { pool?: string }> }
      expect(devices.root?.pool).toBe('other')
    })

    test('the mark of what was verified is erased: it comes back, and nothing goes', async () => {
      const before = await namesOn('backup')
      await pair.backup.run('PATCH', IT, { config: { 'user.stapes.verified': '' } })
      await timeline.strike()
      await timeline.settle()
      expect(await namesOn('backup')).toEqual(expect.arrayContaining(before.slice(1)))
      expect((await configOn('backup'))['user.stapes.verified']?.split(' ').length).toBeGreaterThan(2)
    })

    test('a second installation with the same configuration leaves the copy alone, and says so', async () => {
      const second = await openStage(async () => ({ ...realTheatre(pair), close: async () => {} }))
      try {
        await applyPolicy(second, [NAME])
        const answer = await second.worker.fetch('/api/plan', { method: 'POST', body: '{}' })
        const { text } = (await answer.json()) as { text: string }
        expect(text).toContain('another installation of stapes makes this copy')
        expect(text).not.toContain('refresh by pull')
        await timeline.strike()
        await timeline.settle()
      } finally {
        await second.close()
      }
    })

    /** From here on it is on record on the copy, and without a volume. */
    const tear = async (name: string): Promise<void> => {
      const query = `DELETE FROM storage_volumes_snapshots WHERE name = '${name}'`
      await pair.backup.run('POST', '/internal/sql', { database: 'global', query })
    }
    /** Likewise, newer than all that was verified. */
    const makeTorn = async (name: string): Promise<void> => {
      await nextSecond()
      await pair.backup.run('POST', `${IT}/snapshots`, { name })
      await tear(name)
    }

    test('a power cut left a snapshot on record without its volume: it is removed, and the copy goes on', async () => {
      const before = await namesOn('backup')
      // As if a transfer that nobody verified had brought it.
      const torn = `${POLICY}-20260101T0000Z`
      const from = Math.floor(Date.now() / 1000)
      await pair.backup.run('PATCH', IT, { config: { 'user.stapes.copying': `unseen ${from}` } })
      await makeTorn(torn)
      expect(await namesOn('backup')).toEqual([...before, torn].sort())
      await timeline.strike()
      await timeline.settle()
      expect(await namesOn('backup')).toEqual(expect.arrayContaining(before.slice(1)))
      expect(await namesOn('backup')).not.toContain(torn)
    })

    test('a power cut left one so that a refresh was removing: it is removed, and the copy goes on', async () => {
      const [oldest = '', ...others] = await namesOn('backup')
      const { 'user.stapes.verified': verified = '' } = await configOn('backup')
      expect(verified).toContain(oldest)
      const from = Math.max(...verified.split(' ').map((pair) => Number(pair.split('@')[1])))
      await pair.main.run('DELETE', `${IT}/snapshots/${oldest}`).catch(() => null)
      await pair.backup.run('PATCH', IT, { config: { 'user.stapes.copying': `unseen ${from}` } })
      await tear(oldest)
      await timeline.strike()
      await timeline.settle()
      expect(await namesOn('backup')).not.toContain(oldest)
      expect(await namesOn('backup')).toEqual(expect.arrayContaining(others.slice(1)))
    })

    test('a snapshot without its volume that somebody made on the copy stays, and no refresh begins', async () => {
      const { 'user.stapes.copying': before } = await configOn('backup')
      await makeTorn('mine')
      await timeline.strike()
      expect(await problems()).toContain('no unverified transfer brought: mine')
      expect(await namesOn('backup')).toContain('mine')
      expect((await configOn('backup'))['user.stapes.copying']).toBe(before)
      // The cure that is told: it reports an error, and removes it.
      await pair.backup.run('DELETE', `${IT}/snapshots/mine`).catch(() => null)
      await timeline.settle()
    })

    test('a source killed at the end of a refresh left a snapshot in the pool alone: that is told, and the told command lets a new copy begin', async () => {
      const newest = (await namesOn('backup')).at(-1) ?? ''
      const query = `DELETE FROM instances_snapshots WHERE name = '${newest}'`
      await pair.backup.run('POST', '/internal/sql', { database: 'global', query })
      const before = await namesOn('backup')
      await timeline.strike()
      expect(await problems()).toMatch(new RegExp(`${newest}; .*"incus rename ${NAME} ${NAME}-kept"`))
      expect(await namesOn('backup')).toEqual(before)
      await pair.backup.run('POST', IT, { name: `${NAME}-kept` }).catch(() => null)
      const kept = (await pair.backup.run('GET', `${IT}-kept/snapshots?recursion=1`)) as Listed[]
      expect(kept.map(({ name }) => name).sort()).toEqual(before)
      await timeline.settle()
      expect(await namesOn('backup')).toContain((await namesOn('main')).at(-1))
    })

    test('an instance that was lost is copied back: it is backed up again, and told what is left of the copy', async () => {
      const before = await namesOn('backup')
      await pair.main.run('DELETE', IT)
      await copyBack(pair, NAME)
      const back = await namesOn('main')
      await timeline.strike()
      await timeline.settle()
      const [newest = ''] = (await namesOn('main')).filter((name) => !back.includes(name))
      expect(newest).not.toBe('')
      expect(await namesOn('backup')).toEqual(expect.arrayContaining([...before.slice(1), newest]))
      const { warnings } = (await (await stage.worker.fetch('/api/status')).json()) as { warnings: string[] }
      const told = warnings.find((one) => one.startsWith(`main/default/${NAME}: it was copied back`))
      const keys = [...(told ?? '').matchAll(/incus config unset (\S+) ([^\s;]+\w)/g)].map(
        ([, , key = '']) => key,
      )
      expect(keys).toEqual(
        expect.arrayContaining(['user.stapes.replica-of', 'boot.autostart', 'snapshots.schedule']),
      )
      await pair.main.run('PATCH', IT, {
        config: Object.fromEntries(keys.map((key) => [key, ''])),
      })
    })

    test('another instance takes the source’s name: the copy stays as it is, and that is told', async () => {
      const [old, other] = [`${NAME}-old`, `${NAME}-other`]
      const rename = (from: string, name: string) =>
        pair.main.run('POST', `/1.0/instances/${from}`, { name }) as Promise<unknown>
      await pair.main.createInstance({ name: other })
      // As if both had been covered: of one policy they have snapshots of the same names and seconds.
      const newest =
        (await snapshotsOn('main'))
          .map(({ name }) => name)
          .sort()
          .at(-1) ?? ''
      await pair.main.run('POST', `/1.0/instances/${other}/snapshots`, { name: newest })
      const { created_at: date } = (await pair.main.run('GET', `${IT}/snapshots/${newest}`)) as {
        created_at: string
      }
      const [taken] = date.split('.')
      const snapshot = `SELECT id FROM instances WHERE name = '${other}'`
      for (const query of [
        `UPDATE instances_snapshots SET creation_date = '${taken}+00:00' WHERE name = '${newest}' AND instance_id = (${snapshot})`,
        `UPDATE storage_volumes_snapshots SET creation_date = '${taken}+00:00' WHERE name = '${newest}' AND storage_volume_id = (SELECT id FROM storage_volumes WHERE name = '${other}')`,
        `UPDATE instances SET creation_date = '2020-01-01 00:00:00+00:00' WHERE name = '${other}'`,
      ])
        await pair.main.run('POST', '/internal/sql', { database: 'global', query })
      const before = await namesOn('backup')
      await rename(NAME, old)
      await rename(other, NAME)
      await timeline.strike()
      expect(await problems()).toContain('the copy was made from another instance')
      expect(await namesOn('backup')).toEqual(before)
      await rename(NAME, other)
      await rename(old, NAME)
      await timeline.strike()
      await timeline.settle()
    })

    test('the source is rolled back: the copy keeps what is gone there, and that is told', async () => {
      const before = await namesOn('backup')
      const newest = (await namesOn('main')).slice(-2)
      for (const name of newest) await pair.main.run('DELETE', `${IT}/snapshots/${name}`)
      await timeline.strike()
      expect(await problems()).toContain('was the source rolled back or replaced?')
      expect(await namesOn('backup')).toEqual(before)
    })

    test('an instance made by hand stands in the copy’s place: nothing of it is touched', async () => {
      await pair.backup.run('DELETE', IT)
      await pair.backup.createInstance({ name: NAME })
      for (const name of ['hourly-20260101T0000Z', 'mine'])
        await pair.backup.run('POST', `${IT}/snapshots`, { name })
      await timeline.strike()
      expect(await problems()).toContain('and stapes did not make it')
      const left = await snapshotsOn('backup')
      expect(left.map(({ name, expires_at }) => [name, expires_at.slice(0, 4)])).toEqual([
        ['hourly-20260101T0000Z', '0001'],
        ['mine', '0001'],
      ])
    })
  })
}
