import { unpackTar } from 'modern-tar'
import { describe, expect, test } from 'vitest'
import { type FilesQuery, listFiles, placeOf } from '../../functions/files.ts'
import { type Io, look } from '../../functions/run.ts'
import { newNode, putNode } from '../emulator/disk-files.ts'
import { instanceOf, write } from '../emulator/scene.ts'
import { HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import type { Driver, Remote } from './world.ts'

const start = new Date('2026-11-20T00:00:30Z')
const until = new Date(start.getTime() + 36 * HOUR)
const HOURLY = 'hourly-20261120T0600Z'
const DAILY = 'daily-20261120T0300Z'
const OLD = 'web as it was at six'

async function begin(driver: Driver = 'dir', files = true): Promise<Simulation> {
  const simulation = await simulate({
    ...usual(start, until),
    drivers: { main: driver, backup: 'dir' },
    files,
  })
  const { world, pass } = simulation
  const web = instanceOf(world.incus.main, { name: 'web' })
  write(web, 'web as it was at three', 600e6)
  await pass(new Date('2026-11-20T05:59:00Z'))
  write(web, OLD, 600e6)
  putNode(web, '/etc', newNode('folder'))
  putNode(web, '/etc/hosts', {
    ...newNode('file', Buffer.from('127.0.0.1 web\n')),
    uid: 12,
    gid: 13,
    mode: 0o640,
  })
  putNode(web, '/etc/mtab', newNode('link', Buffer.from('../proc/mounts')))
  putNode(web, '/etc/caf\xe9', newNode('file', Buffer.from('no UTF-8')))
  putNode(web, '/etc/pipe', newNode('pipe'))
  await pass(new Date('2026-11-20T06:15:00Z'))
  write(web, 'web as it is now', 600e6)
  return simulation
}

const temporaries = ({ world }: Simulation, remote: Remote = 'main'): string[] =>
  [...(world.incus[remote].state.projects.get('default')?.instances.keys() ?? [])].filter((name) =>
    name.startsWith('stapes-files-'),
  )

const ioOf = ({ world }: Simulation): Required<Pick<Io, 'files'>> & Io => world.places[0] as Required<Io>

async function located(simulation: Simulation, query: Partial<FilesQuery> = {}) {
  const { world } = simulation
  const io = ioOf(simulation)
  const seen = await world.clock.settle(look(io, new Date(world.clock.now())))
  if (seen === null) throw new Error('nothing is configured')
  return placeOf({ instance: 'web', snapshot: HOURLY, path: '/', ...query }, seen)
}

async function list(simulation: Simulation, query: Partial<FilesQuery> = {}, page: object = {}) {
  const place = await located(simulation, query)
  return place.ok
    ? simulation.world.clock.settle(listFiles(place.value, page, ioOf(simulation).files))
    : place
}

async function get(simulation: Simulation, query: Partial<FilesQuery>): Promise<Uint8Array> {
  const place = await located(simulation, query)
  if (!place.ok) throw new Error(place.error.reason)
  const { ref, snapshot, path } = place.value
  const reply = await simulation.world.clock.settle(ioOf(simulation).files.get({ ref, snapshot, path }))
  if (!reply.ok || reply.value.state !== 'sent') throw new Error(JSON.stringify(reply))
  const chunks: Uint8Array[] = []
  for await (const chunk of reply.value.bytes ?? []) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const textOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString()

describe('files of a snapshot', () => {
  test('are those of the snapshot, and not of what is there now', async () => {
    const simulation = await begin()
    expect(await list(simulation)).toMatchObject({
      ok: true,
      value: {
        ...{ state: 'listed', of: 'main/default/web', from: 'main/default/web', total: 3, next: null },
        itself: { name: '/', kind: 'folder', mode: '0755' },
        entries: [
          { name: 'data' },
          { name: 'etc', kind: 'folder' },
          { name: 'marker', kind: 'file', size: 20 },
        ],
      },
    })
    expect(textOf(await get(simulation, { path: '/marker' }))).toBe(OLD)
  })

  test('come with their attributes, page by page; a link isn’t followed, and a strange name is told', async () => {
    const simulation = await begin()
    const first = await list(simulation, { path: '/etc' }, { limit: 2 })
    expect(first).toMatchObject({
      value: {
        ...{ total: 4, next: 2 },
        entries: [
          { name: 'caf�', kind: 'file', unreadable: true },
          { name: 'hosts', size: 14, mode: '0640', uid: 12, gid: 13, modifiedAt: '2023-11-14T22:13:20.000Z' },
        ],
      },
    })
    expect(await list(simulation, { path: '/etc' }, { skip: 2 })).toMatchObject({
      value: {
        next: null,
        entries: [
          { name: 'mtab', kind: 'link', size: null, target: '../proc/mounts' },
          { name: 'pipe', kind: 'other', size: null },
        ],
      },
    })
    expect(temporaries(simulation)).toHaveLength(1)
  })

  test('of a folder are a tar with modes, owners, dates and links, and say what it lacks', async () => {
    const simulation = await begin()
    const entries = await unpackTar(await get(simulation, { path: '/etc' }), { strict: true })
    expect(entries.map(({ header: { name, type } }) => [name, type])).toEqual([
      ['etc/', 'directory'],
      ['etc/caf�', 'file'],
      ['etc/hosts', 'file'],
      ['etc/mtab', 'symlink'],
      ['stapes-left-out.txt', 'file'],
    ])
    expect(entries[2]?.header).toMatchObject({ mode: 0o640, uid: 12, gid: 13, size: 14 })
    expect(entries[2]?.header.mtime?.toISOString()).toBe('2023-11-14T22:13:20.000Z')
    expect(textOf(entries[2]?.data)).toBe('127.0.0.1 web\n')
    expect(entries[3]?.header.linkname).toBe('../proc/mounts')
    expect(textOf(entries[4]?.data)).toContain('etc/pipe')
  })

  test('are read from the copy, if that is asked for or the original has it no more', async () => {
    const simulation = await begin()
    const there = await list(simulation, { snapshot: DAILY, from: 'backup' })
    expect(there).toMatchObject({ value: { of: 'main/default/web', from: 'backup/default/web' } })
    expect([temporaries(simulation), temporaries(simulation, 'backup')]).toEqual([[], [expect.any(String)]])
    instanceOf(simulation.world.incus.main, { name: 'web' }).snapshots.delete(DAILY)
    expect(textOf(await get(simulation, { snapshot: DAILY, path: '/marker' }))).toBe('web as it was at three')
    simulation.world.incus.main.state.projects.get('default')?.instances.delete('web')
    const gone = await list(simulation, { instance: 'main/default/web', snapshot: DAILY })
    expect(gone).toMatchObject({ ok: true, value: { from: 'backup/default/web' } })
  })

  test.each([
    ['whose path is not there', { path: '/none' }, /has no \/none/],
    ['whose path leads upwards', { path: '/etc/../root' }, /no "\."/],
    ['that does not exist', { snapshot: 'hourly-20261120T0605Z' }, /has a snapshot .* did you mean/],
    ['that is not known to be complete', { snapshot: 'by-hand' }, /may hold no data/],
    ['of no instance', { instance: 'wub' }, /no instance "wub"/],
  ])('are refused of one %s', async (_, query, why) => {
    const simulation = await begin()
    const body = { name: 'by-hand' }
    await simulation.world.incus.main.handle({ method: 'POST', path: '/1.0/instances/web/snapshots', body })
    await simulation.world.clock.advance(simulation.world.clock.now() + MINUTE)
    expect(await list(simulation, query)).toMatchObject({
      ok: false,
      error: { reason: expect.stringMatching(why) },
    })
  })

  test('of a virtual machine are refused before anything is begun', async () => {
    const simulation = await begin()
    instanceOf(simulation.world.incus.main, { name: 'web' }).type = 'virtual-machine'
    expect(await list(simulation)).toMatchObject({
      error: { reason: expect.stringContaining('its own agent') },
    })
    const ref = { remote: 'main', project: 'default', instance: 'web' }
    const asked = ioOf(simulation).files.list({ ref, snapshot: HOURLY, path: '/' })
    expect(await simulation.world.clock.settle(asked)).toMatchObject({
      value: { state: 'refused', error: { message: expect.stringContaining('virtual machine') } },
    })
    expect(temporaries(simulation)).toEqual([])
  })

  test('are read nowhere unless the relay’s configuration says so', async () => {
    const simulation = await begin('dir', false)
    expect(await list(simulation)).toMatchObject({
      error: { state: 'refused', reason: expect.stringContaining('"files": true') },
    })
    expect(temporaries(simulation)).toEqual([])
  })
})

describe('what they are read from', () => {
  test('is stopped, covered by nobody, told to nobody, and goes after ten minutes without a reader', async () => {
    const simulation = await begin()
    const { world, pass } = simulation
    await list(simulation)
    await pass(new Date(world.clock.now() + 6 * MINUTE), 'ticked')
    const [name = ''] = temporaries(simulation)
    const made = instanceOf(world.incus.main, { name })
    expect([made.status, made.snapshots.size, made.config['boot.autostart']]).toEqual(['Stopped', 0, 'false'])
    await list(simulation, { path: '/etc' })
    await pass(new Date(world.clock.now() + 9 * MINUTE), 'ticked')
    expect(temporaries(simulation)).toEqual([name])
    await pass(new Date(world.clock.now() + 2 * MINUTE), 'ticked')
    expect(temporaries(simulation)).toEqual([])
    await pass(until)
    simulation.watch.end()
  })

  test('takes its time, and is the same one for who asks meanwhile', async () => {
    const simulation = await begin()
    simulation.world.incus.main.copyMs = 60_000
    expect(await list(simulation)).toMatchObject({ error: { state: 'wait' } })
    expect(await list(simulation)).toMatchObject({ error: { state: 'wait' } })
    expect(temporaries(simulation)).toHaveLength(1)
    await simulation.world.clock.advance(simulation.world.clock.now() + 30_000)
    expect(await list(simulation)).toMatchObject({ ok: true })
  })

  test('is never more than four: the one that was read longest ago makes room', async () => {
    const simulation = await begin()
    const names = [1, 2, 3, 4, 5].map((hour) => `hourly-20261120T0${hour}00Z`)
    for (const snapshot of names) {
      expect(await list(simulation, { snapshot })).toMatchObject({ ok: true })
      await simulation.world.clock.advance(simulation.world.clock.now() + 1_000)
    }
    expect(temporaries(simulation)).toHaveLength(4)
    expect(await list(simulation, { snapshot: names[1] ?? '' })).toMatchObject({ ok: true })
    expect(temporaries(simulation)).toHaveLength(4)
  })

  test('is made of no snapshot that is gone once it is made', async () => {
    const simulation = await begin()
    const { world } = simulation
    world.incus.main.copyMs = 10_000
    world.clock.after(5_000, () => instanceOf(world.incus.main, { name: 'web' }).snapshots.delete(HOURLY))
    expect(await list(simulation)).toMatchObject({ ok: false })
    await world.clock.advance(world.clock.now() + 1_000)
    expect(temporaries(simulation)).toEqual([])
  })
})

/** All requests of one list: reads, the copy, the connection to its files. */
const MOST = 13

const MOMENTS = {
  relay: Array.from({ length: MOST }, (_, at) => at),
  // Before that nothing is made.
  server: [8, 9, 10, 11, 12],
}

describe.each(['relay', 'server'] as const)('the %s is killed', (victim) => {
  test.each(MOMENTS[victim])(
    'at request %i of a list: nothing is left after some hours, and the next one is whole',
    async (at) => {
      const simulation = await begin()
      const { world, pass } = simulation
      const { main } = world.incus
      const place = await located(simulation)
      let left = at
      world.weather.now = () => {
        if (left-- !== 0) return null
        if (victim === 'relay') world.relay.kill()
        else {
          main.kill()
          world.clock.after(MINUTE, () => main.start())
        }
        return null
      }
      if (place.ok) await world.clock.settle(listFiles(place.value, {}, ioOf(simulation).files))
      world.weather.now = () => null
      expect(left).toBeLessThan(0)
      await pass(new Date(world.clock.now() + 2 * HOUR))
      expect(temporaries(simulation)).toEqual([])
      expect(await list(simulation)).toMatchObject({ ok: true, value: { total: 3 } })
    },
  )
})
