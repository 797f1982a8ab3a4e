/** Custom volumes under a policy, on real daemons: a running instance's data volume, and a block volume by its name. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { INCUSD, NEWER } from '../lab/installed.ts'
import { type Pair, startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { realTheatre } from './real-theatre.ts'
import { openStage, type Stage } from './stage.ts'
import { openTimeline, type Timeline } from './timeline.ts'

const VOLUMES = '/1.0/storage-pools/default/volumes/custom'
const KEY = 'main/default/default:data'
/** Of no instance: of others Incus shows the files as their instance's root, who may not run a daemon below /root. */
const FILES = 'db-files'

const HOURLY = {
  select: { remotes: ['main'], volumes: ['attached', 'default:db-*'] },
  ...{ schedule: '0 * * * *', keep: { last: 2 } },
}
const POLICY = { policies: { hourly: HOURLY } }
const copiedBy = (transferMode: string) => ({
  policies: { hourly: { ...HOURLY, copy: { remote: 'backup', transferMode, keep: { last: 2 } } } },
})

/** What the database says of itself goes onto its volume. */
const HOOKS = {
  db: {
    instances: ['main/default/sh*'],
    before: ['sh', '-c', 'echo ready > /data/state; echo begun'],
    after: ['sh', '-c', 'echo over > /data/state'],
    timeout: 10,
  },
}

type Listed = { name: string; expires_at: string | null; description: string }
type Seen = { ownSchedules: Record<string, { zone: number | null; instances: object }> }
const postOf = (body: object) => ({ method: 'POST', body: JSON.stringify(body) })

type Used = { last_used_at: string }
type Restores = Record<string, { state: string }>
type Volume = { config: Record<string, string>; description: string; content_type: string }

for (const [version, incusd] of [
  ['6.0', INCUSD],
  ['7.0', NEWER],
] as const)
  onRealIncus(`custom volumes, on ${version}`, () => volumesEndToEnd(version, incusd), [incusd])

/** As a client that comes again as long as it is told so. */
async function answered(fetch: () => Promise<Response>): Promise<Response> {
  for (let tries = 0; tries < 20; tries++) {
    const response = await fetch()
    if (response.status !== 503) return response
    await sleep(500)
  }
  throw new Error('it is never ready')
}

function volumesEndToEnd(version: string, incusd: string): void {
  describe(`custom volumes, on two real daemons of ${version}`, () => {
    let pair: Pair
    let stage: Stage
    let timeline: Timeline
    beforeAll(async () => {
      pair = await startPair({ daemons: { main: incusd, backup: incusd } })
      stage = await openStage(async () => ({ ...realTheatre(pair), hooks: HOOKS, files: true }))
      const { main } = pair
      await main.run('POST', VOLUMES, { name: 'data', type: 'custom', description: 'of the shop' })
      const disk = { name: 'db-disk', type: 'custom', content_type: 'block', config: { size: '8MiB' } }
      await main.run('POST', VOLUMES, disk)
      await main.run('POST', VOLUMES, { name: 'other', type: 'custom' })
      await main.run('POST', VOLUMES, { name: FILES, type: 'custom' })
      await main.createInstance({ name: 'shop', running: true })
      const device = { type: 'disk', pool: 'default', source: 'data', path: '/data' }
      await main.run('PATCH', '/1.0/instances/shop', { devices: { data: device } })
      await stage.apply(POLICY)
      timeline = openTimeline(stage, [], 0)
      return () => stage.close()
    })

    const snapshots = async (volume = 'data'): Promise<Listed[]> => {
      const rows = await pair.main.run('GET', `${VOLUMES}/${volume}/snapshots?recursion=1`)
      return (rows as Listed[]).map((row) => ({ ...row, name: row.name.split('/')[1] ?? '' }))
    }
    const namesOf = async (volume?: string) => (await snapshots(volume)).map(({ name }) => name)
    const volume = async (name = 'data') => (await pair.main.run('GET', `${VOLUMES}/${name}`)) as Volume
    const copyOf = async (name: string) =>
      (await pair.backup.run('GET', `${VOLUMES}/${name}`).catch(() => ({ config: {} }))) as Volume
    const ask = async (body: object): Promise<void> => {
      const answer = await stage.worker.fetch('/api/run', { method: 'POST', body: JSON.stringify(body) })
      if (!answer.ok) throw new Error(await answer.text())
    }

    const confirmed = async (request: object): Promise<void> => {
      const plan = await stage.worker.fetch('/api/plan', postOf(request))
      await ask({ ...request, confirm: ((await plan.json()) as { digest: string }).digest })
    }
    /** Of the copy: its newest verified snapshot. */
    const newest = async (name: string): Promise<string | undefined> => {
      const list = ((await copyOf(name)).config['user.stapes.verified'] ?? '').split(' ')
      return list
        .map((pair) => pair.split('@')[0])
        .sort()
        .at(-1)
    }
    /** It is there, and the relay has finished it. */
    const isWhole = async (name: string): Promise<boolean> => {
      const made = (await pair.main.run('GET', `${VOLUMES}/${name}`).catch(() => null)) as Volume | null
      return made !== null && made.config['user.stapes.restoring-as'] === undefined
    }
    const restores = async () =>
      ((await (await stage.worker.fetch('/api/status')).json()) as { restores: Restores }).restores

    test('have a snapshot for each slot, and as many as the policy keeps', async () => {
      const slots = [await timeline.strike(), await timeline.strike(), await timeline.strike()]
      slots.push(await timeline.strike())
      for (const name of ['data', 'db-disk']) {
        expect(await namesOf(name)).toEqual(expect.arrayContaining(slots.slice(-2)))
        expect((await namesOf(name)).length).toBeLessThan(slots.length)
      }
      expect(await namesOf('other')).toEqual([])
      expect((await volume()).description).toBe('of the shop')
    })

    test('are on the backup server, up to the newest snapshot, verified and with the data', async () => {
      await stage.apply(copiedBy(version === '6.0' ? 'relay' : 'pull'))
      const writing = join(pair.main.dir, 'storage-pools/default/custom/default_data/marker')
      await writeFile(writing, 'written')
      const slot = await timeline.strike()
      const isDone = async () => (await newest('data')) === slot && (await newest('db-disk')) === slot
      await timeline.until(isDone)
      expect([await newest('data'), await newest('db-disk')]).toEqual([slot, slot])
      expect(await copyOf('data')).toMatchObject({ description: 'of the shop', content_type: 'filesystem' })
      expect(await copyOf('db-disk')).toMatchObject({ content_type: 'block' })
      const there = `storage-pools/default/custom-snapshots/default_data/${slot}/marker`
      expect(await readFile(join(pair.backup.dir, there), 'utf8')).toBe('written')
    })

    test('have new volumes made of their snapshots', async () => {
      const [snapshot = ''] = await namesOf()
      const request = { do: 'clone', instance: KEY, snapshot, as: 'anew' }
      await confirmed(request)
      const made = async () =>
        (await pair.main.run('GET', `${VOLUMES}/anew`).catch(() => null)) as Volume | null
      const isDone = async () =>
        ((await made())?.config ?? { 'user.stapes.restoring-as': '' })['user.stapes.restoring-as'] ===
        undefined
      await timeline.until(isDone)
      expect(await made()).toMatchObject({ config: {}, description: 'of the shop' })
    })

    test('have new ones made from the backup server, and come back from there when they are lost', async () => {
      const copied = (await pair.backup.run('GET', `${VOLUMES}/data/snapshots`)) as string[]
      const snapshot = copied.at(-1)?.split('/').at(-1)
      await confirmed({ do: 'clone', instance: KEY, snapshot, as: 'fetched', from: 'backup' })
      await timeline.until(async () => isWhole('fetched'))
      expect(await namesOf('fetched')).toEqual([])
      const there = join(pair.main.dir, 'storage-pools/default/custom/default_fetched/marker')
      expect(await readFile(there, 'utf8')).toBe('written')
      await pair.main.run('DELETE', `${VOLUMES}/db-disk`)
      await confirmed({ do: 'bring-back', instance: 'main/default/default:db-disk' })
      await timeline.until(async () => isWhole('db-disk'))
      const back = (await pair.main.run('GET', `${VOLUMES}/db-disk`)) as Volume
      expect(back).toMatchObject({ content_type: 'block', config: { size: String(8 * 2 ** 20) } })
      expect(Object.keys(back.config).filter((key) => key.startsWith('user.stapes.'))).toEqual([])
      const slot = await timeline.strike()
      await timeline.until(async () => (await newest('db-disk')) === slot)
      expect(await namesOf('db-disk')).toContain(slot)
    })

    test('are held, without losing their description', async () => {
      const [snapshot = ''] = await namesOf()
      await ask({ do: 'hold', instance: KEY, snapshot, note: 'for the audit' })
      const { config, description } = await volume()
      expect(config[`user.stapes.hold.${snapshot}`]).toBe('for the audit')
      expect(description).toBe('of the shop')
      await timeline.strike()
      await timeline.strike()
      expect(await namesOf()).toContain(snapshot)
      await ask({ do: 'release', instance: KEY, snapshot })
      expect((await volume()).config).not.toHaveProperty([`user.stapes.hold.${snapshot}`])
      expect((await snapshots()).find(({ name }) => name === snapshot)?.description).toBe('of the shop')
    })

    test('have a removal by name taken back', async () => {
      await ask({ do: 'snapshot', instances: [KEY] })
      const snapshot = (await namesOf()).find((name) => name.startsWith('manual-')) ?? ''
      await ask({ do: 'hold', instance: KEY, snapshot, note: 'x' })
      await ask({ do: 'release', instance: KEY, snapshot })
      await timeline.strike()
      const end = async () => (await snapshots()).find(({ name }) => name === snapshot)?.expires_at ?? null
      // While a copy runs, nothing is set on its snapshots.
      await timeline.until(async () => (await end()) !== null)
      const before = await end()
      const expire = { do: 'expire', instances: [KEY], snapshots: [snapshot], grace: '1d' }
      const plan = await stage.worker.fetch('/api/plan', { method: 'POST', body: JSON.stringify(expire) })
      await ask({ ...expire, confirm: ((await plan.json()) as { digest: string }).digest })
      const undone = await volume()
      expect(undone.config).toHaveProperty([`user.stapes.undo.${snapshot}`])
      await ask({ do: 'undo', instance: KEY, snapshot })
      const after = await end()
      expect(Date.parse(after ?? '')).toBeGreaterThanOrEqual(Date.parse(before ?? '') - 1000)
      expect((await volume()).config).not.toHaveProperty([`user.stapes.undo.${snapshot}`])
    })

    test('and instances have names, descriptions and schedules of Incus as somebody sets them', async () => {
      await ask({ do: 'snapshot', instances: [KEY, 'shop'], as: 'gold', expiry: '3d' })
      await ask({ do: 'describe', instance: KEY, snapshot: 'gold', note: 'before the upgrade' })
      await ask({ do: 'rename', instance: KEY, snapshot: 'gold', as: 'silver' })
      const renamed = (await snapshots()).find(({ name }) => name === 'silver')
      expect(renamed?.description).toBe('before the upgrade')
      expect((Date.parse(renamed?.expires_at ?? '') - Date.now()) / 86_400_000).toBeCloseTo(3, 1)
      await ask({ do: 'snapshot', instances: ['shop'], as: 'gold', reuse: true })
      const of = '/1.0/instances/shop'
      const golds = (await pair.main.run('GET', `${of}/snapshots`)) as string[]
      expect(golds.filter((url) => url.includes('gold'))).toHaveLength(2)
      for (const instance of [KEY, 'shop'])
        await ask({ do: 'schedule', instance, schedule: '@daily', expiry: '7d' })
      expect(await volume()).toMatchObject({
        description: 'of the shop',
        config: { 'snapshots.schedule': '@daily', 'snapshots.expiry': '7d' },
      })
      await ask({ do: 'take-over', instance: 'shop' })
      const shop = (await pair.main.run('GET', of)) as { config: Record<string, string> }
      expect(shop.config).toMatchObject({ 'snapshots.schedule': '@never', 'snapshots.expiry': '7d' })
      const status = (await (await stage.worker.fetch('/api/status')).json()) as Seen
      expect(status.ownSchedules.main?.instances).toHaveProperty([KEY])
      expect(status.ownSchedules.main?.zone).not.toBeNull()
      await ask({ do: 'schedule', instance: KEY, schedule: 'none', expiry: 'none' })
      expect((await volume()).config).not.toHaveProperty(['snapshots.schedule'])
    })

    test('are restored in place, by their instance being shut down and started again', async () => {
      const marker = join(pair.main.dir, 'storage-pools/default/custom/default_data/marker')
      await writeFile(marker, 'then')
      const snapshot = await timeline.strike()
      await writeFile(marker, 'now')
      const used = async () => ((await pair.main.run('GET', '/1.0/instances/shop')) as Used).last_used_at
      const before = await used()
      const request = { do: 'restore', instance: KEY, snapshot }
      const mayBegin = async () => (await stage.worker.fetch('/api/plan', postOf(request))).ok
      // The slot's copies of volume and instance are on their way.
      await timeline.until(mayBegin)
      await confirmed(request)
      const isOver = async () => (await restores())[KEY]?.state === 'done'
      await timeline.until(isOver)
      expect(await readFile(marker, 'utf8')).toBe('then')
      expect(await used()).not.toBe(before)
      const { status } = (await pair.main.run('GET', '/1.0/instances/shop')) as { status: string }
      expect(status).toBe('Running')
      const { config, description } = await volume()
      expect(config).not.toHaveProperty(['user.stapes.restoring'])
      expect(description).toBe('of the shop')
      const safety = config['user.stapes.restored'] ?? ''
      const kept = `storage-pools/default/custom-snapshots/default_data/${safety}/marker`
      expect(await readFile(join(pair.main.dir, kept), 'utf8')).toBe('now')
    })

    test('are moved by their copies, and not onto one', async () => {
      await expect(ask({ do: 'move', instance: KEY, remote: 'backup' })).rejects.toThrow(
        /is its copy, by which/,
      )
    })

    test('have files of a snapshot read and restored, where their Incus gives any', async () => {
      const instance = `main/default/default:${FILES}`
      // No copy of it begins meanwhile.
      await stage.apply(POLICY)
      for (let minutes = 0; minutes < 5; minutes++) await timeline.tick()
      const at = join(pair.main.dir, 'storage-pools/default')
      const marker = join(at, `custom/default_${FILES}/marker`)
      await writeFile(marker, 'first')
      const snapshot = await timeline.strike()
      await writeFile(marker, 'second')
      const of = new URLSearchParams({ instance, snapshot, path: '/marker' })
      const got = await answered(() => stage.worker.fetch(`/api/files/content?${of}`))
      const wish = { do: 'put', instance, snapshot, path: '/marker' }
      const plan = await stage.worker.fetch('/api/plan', { method: 'POST', body: JSON.stringify(wish) })
      if (version === '6.0') {
        for (const refused of [got, plan])
          expect(await refused.text()).toContain('gives no files of custom volumes')
        return
      }
      expect(await got.text()).toBe('first')
      const confirm = ((await plan.json()) as { digest: string }).digest
      const ran = await stage.worker.fetch('/api/run', {
        method: 'POST',
        body: JSON.stringify({ ...wish, confirm }),
      })
      expect(await ran.json()).toMatchObject({ results: [{ state: 'started' }], problems: [] })
      type Put = { state: string; safety: string; reason?: string }
      const put = async () => {
        const { puts } = (await (await stage.worker.fetch('/api/status')).json()) as {
          puts: Record<string, Put>
        }
        return puts[instance]
      }
      await timeline.until(async () => (await put())?.state === 'done')
      const { state, safety, reason } = (await put()) ?? { state: '', safety: '', reason: '' }
      expect([state, reason]).toEqual(['done', expect.stringContaining('1 files')])
      expect(await readFile(marker, 'utf8')).toBe('first')
      expect(await readFile(join(at, `custom-snapshots/default_${FILES}/${safety}/marker`), 'utf8')).toBe(
        'second',
      )
      expect((await volume(FILES)).config).toMatchObject({ 'user.stapes.restored': safety })
      await stage.relay.stop()
      const volumes = (await pair.main.run('GET', VOLUMES)) as string[]
      expect(volumes.filter((url) => url.includes('stapes-files'))).toEqual([])
      await stage.relay.start()
    })

    test('are taken together with their instance, which stands still for it and runs again', async () => {
      await stage.apply({
        policies: {
          hourly: {
            select: { remotes: ['main'], instances: ['shop'], volumes: ['attached'] },
            ...{ schedule: '0 * * * *', keep: { last: 2 }, together: true },
          },
        },
      })
      await timeline.strike()
      const slot = await timeline.strike()
      const listed = (await pair.main.run('GET', '/1.0/instances/shop/snapshots')) as string[]
      expect(listed.map((url) => url.split('/').at(-1))).toContain(slot)
      expect(await namesOf()).toContain(slot)
      const status = (await (await stage.worker.fetch('/api/status')).json()) as {
        policies: { hourly: { slots: { paused?: Record<string, number> }[] } }
      }
      expect(status.policies.hourly.slots[0]?.paused).toEqual({ 'main/default/shop': expect.any(Number) })
      const shop = (await pair.main.run('GET', '/1.0/instances/shop')) as { status: string } & Pick<
        Volume,
        'config'
      >
      expect(shop.status).toBe('Running')
      expect(shop.config).not.toHaveProperty(['user.stapes.pausing'])
    })

    test('are taken while a hook has their instance ready, which runs all the time', async () => {
      await stage.apply({
        policies: {
          hourly: {
            select: { remotes: ['main'], instances: ['shop'], volumes: ['attached'] },
            ...{ schedule: '0 * * * *', keep: { last: 2 }, together: { hook: 'db' } },
          },
        },
      })
      const slot = await timeline.strike()
      const pool = join(pair.main.dir, 'storage-pools/default')
      expect(await readFile(join(pool, 'custom-snapshots/default_data', slot, 'state'), 'utf8')).toBe(
        'ready\n',
      )
      expect(await readFile(join(pool, 'custom/default_data/state'), 'utf8')).toBe('over\n')
      const listed = (await pair.main.run('GET', '/1.0/instances/shop/snapshots')) as string[]
      expect(listed.map((url) => url.split('/').at(-1))).toContain(slot)
      const shop = (await pair.main.run('GET', '/1.0/instances/shop')) as Pick<Volume, 'config'>
      expect(shop.config).not.toHaveProperty(['user.stapes.pausing'])
      expect(await pair.main.run('GET', '/1.0/instances/shop/logs/exec-output')).toEqual([])
    })
  })
}
