/** Custom volumes as files in a store, in the whole product: by request and by policy, whatever is killed. */
import { unpackTar } from 'modern-tar'
import { describe, expect, test } from 'vitest'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import type { Manifest } from '../../shared/work/export/manifest.ts'
import { customOf } from '../emulator/custom.ts'
import { parseDate } from '../emulator/dates.ts'
import type { Version } from '../emulator/faces.ts'
import { attachVolume, seedInstance, writeVolume } from '../emulator/scene.ts'
import { type Custom, findPool } from '../emulator/state.ts'
import { exportsOf } from '../long-work.ts'
import { ask, attack, type Ran } from './asking.ts'
import { pass, passIdly } from './passing.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { statusIn } from './status.ts'
import { killAfter, killRelay } from './strikes.ts'
import { createWorld, type World } from './world.ts'

const STEP = 2 * MINUTE
const START = new Date('2026-11-20T00:00:30Z')
const KEY = 'main/default/default:data'
const SNAPSHOT = 'hourly-20261120T0100Z'

type Begun = { version?: Version; driver?: 'btrfs' | 'dir'; policy?: object; content?: Custom['content'] }

async function begin({
  version = '6.0.4',
  driver = 'dir',
  policy = {},
  content,
}: Begun = {}): Promise<World> {
  const world = createWorld({
    ...{ start: START, versions: { main: version, backup: version } },
    drivers: { main: driver, backup: 'dir' },
  })
  seedInstance(world.incus.main, { name: 'web', running: true })
  attachVolume(world.incus.main, { name: 'web' }, 'data')
  const config = { 'user.for': 'shop', 'snapshots.expiry': '7d', 'user.stapes.hold.mine': 'ann' }
  Object.assign(on(world), { description: 'of the shop', config })
  if (content !== undefined) on(world).content = content
  writeVolume(world.incus.main, 'data', 'then', 600_000)
  await world.apply({
    policies: {
      hourly: {
        ...{ remotes: ['main'], schedule: '@hourly', select: { instances: [], volumes: ['default:data'] } },
        ...policy,
      },
    },
  })
  await pass(world, HOUR + 10 * MINUTE, STEP)
  writeVolume(world.incus.main, 'data', 'now', 600_000)
  world.incus.main.snapshotMs = 10_000
  return world
}

const on = (world: World, name = 'data'): Custom => customOf(world.incus.main, { name })

const volumesOf = ({ incus }: World): string[] =>
  [...findPool(incus.main.state, 'default').volumes.values()].map(({ name }) => name)

const wish = (world: World, more: object = {}): Promise<Ran> =>
  ask(world, { do: 'export', instance: KEY, to: 'nas', ...more })

const noted = ({ kv }: World) =>
  exportsOf(JSON.parse(kv.peek('ledger') ?? '{}') as Partial<Ledger>)[`${KEY}>nas`]

const made = ({ stores }: World): { manifest: Manifest; archive: Uint8Array }[] => [...stores.made.values()]

async function markerIn(archive: Uint8Array, file = 'backup/volume/marker'): Promise<string | undefined> {
  const entries = await unpackTar(archive, { strict: true })
  const found = entries.find(({ header }) => header.name === file)
  return found === undefined ? undefined : Buffer.from(found.data ?? []).toString()
}

/** One, of the snapshot and not of what is there now; and nothing is left of how it was made. */
async function expectExported(world: World, file?: string): Promise<void> {
  expect(made(world)).toHaveLength(1)
  for (const { manifest, archive } of made(world)) {
    expect(manifest).toMatchObject({
      ...{ instance: KEY, type: 'volume', snapshot: { name: SNAPSHOT } },
      volume: { description: 'of the shop', contentType: on(world).content },
      leftOut: { config: { 'snapshots.expiry': '7d', 'user.stapes.hold.mine': 'ann' } },
    })
    expect(await markerIn(archive, file)).toBe('then')
  }
  expect(volumesOf(world)).toEqual(['data'])
  expect(noted(world)).toMatchObject({ state: 'done', snapshot: SNAPSHOT })
}

describe.each<Version>(['6.0.4', '7.0.2'])('a volume on %s is exported', (version) => {
  test.each(['btrfs', 'dir'] as const)(
    'from %s, at its newest snapshot, and nothing of it stays',
    async (driver) => {
      const world = await begin({ version, driver })
      const before = [...on(world).snapshots.keys()]
      expect(await wish(world)).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
      await pass(world, 5 * MINUTE)
      await expectExported(world)
      expect([on(world).disk.marker, [...on(world).snapshots.keys()]]).toEqual(['now', before])
      expect(JSON.stringify(await statusIn(world))).not.toContain('stapes-export')
    },
  )

  test('that is a block device', async () => {
    const world = await begin({ version, content: 'block' })
    await wish(world)
    await pass(world, 5 * MINUTE)
    await expectExported(world, 'backup/volume.img')
  })
})

test('one whose snapshot is about to expire has it longer, as long as the export may take', async () => {
  const world = await begin()
  const snapshot = on(world).snapshots.get(SNAPSHOT) ?? expect.fail()
  snapshot.expires = parseDate(new Date(world.clock.now() + 2 * MINUTE).toISOString()) ?? expect.fail()
  await wish(world)
  await pass(world, 5 * MINUTE)
  expect(Date.parse(snapshot.expires.text)).toBeGreaterThan(world.clock.now() + 23 * HOUR)
  await expectExported(world)
})

/** All requests of one export: reads, the copy, the backup, the file, the removal. */
const MOST = 18
const isOfExport = (remote: string, { path }: { path: string }): boolean =>
  remote === 'main' &&
  /^\/1\.0\/(storage-pools\/default\/volumes\/custom(\/|\?project=)|operations\/)/.test(path)

describe('the relay is killed', () => {
  const moments = Array.from({ length: MOST / 2 }, (_, at) => at * 2).flatMap((at) => [
    { at, when: 'before' as const },
    { at: at + 1, when: 'after' as const },
  ])
  test.each(moments)(
    '$when request $at of an export: the next ticks make it, once, and leave nothing',
    async ({ at, when }) => {
      const world = await begin()
      const isKilled = killAfter(world, [at, killRelay], isOfExport, when === 'before' ? 'lost-before' : null)
      await wish(world)
      await pass(world, 15 * MINUTE)
      world.weather.now = () => null
      expect(isKilled()).toBe(true)
      await pass(world, 10 * MINUTE)
      await expectExported(world)
    },
  )

  test.each([5, 25])(
    'while Incus goes on for %i minutes to make what it is made from: that is not removed meanwhile',
    async (minutes) => {
      const world = await begin()
      const { main } = world.incus
      main.copyMs = minutes * MINUTE - 30_000
      const torn: string[] = []
      world.weather.now = (_, { method, path }) => {
        const isMade = [...main.operations.all()].some(
          (one) => one.description === 'Copying storage volume' && one.state === 103,
        )
        if (method === 'DELETE' && path.includes('stapes-export') && isMade) torn.push(path)
        return null
      }
      await wish(world)
      await pass(world, MINUTE)
      world.relay.kill()
      await pass(world, 3 * MINUTE)
      expect(JSON.stringify(await statusIn(world))).not.toContain('could not be removed')
      expect(noted(world)?.attempts).toBeLessThan(2)
      await pass(world, (4 * minutes + 30) * MINUTE)
      await expectExported(world)
      expect(torn).toEqual([])
    },
  )
})

test.each([1, 5_000, 9_999, 15_000, 60_000])(
  'Incus is killed %i ms into an export: the next ticks make it, once, and leave nothing',
  async (ms) => {
    const world = await begin()
    world.incus.main.copyMs = 8_000
    await wish(world)
    await world.clock.advance(new Date(world.clock.now() + ms))
    world.incus.main.kill()
    await pass(world, MINUTE)
    world.incus.main.start()
    // Until the next look, which comes each hour.
    await pass(world, 75 * MINUTE)
    await expectExported(world)
  },
)

test('a policy’s export reaches the volumes that it covers, promises that, reads it again and removes old ones', async () => {
  const select = { instances: ['web'], volumes: ['attached'] }
  const exporting = { to: 'nas', schedule: '0 */3 * * *', check: '1h', keep: { last: 2 } }
  const world = await begin({ policy: { select, export: exporting, keep: { last: 3 } } })
  world.stores.minRetention = 0
  await passIdly(world, 30 * HOUR)
  const { promises, checks } = (await statusIn(world)) as unknown as {
    promises: { subject: string; kind: string; state: string }[]
    checks: Record<string, { state: string }>
  }
  for (const subject of [KEY, 'main/default/web'])
    expect(promises.filter((one) => one.subject === subject).map(({ kind, state }) => [kind, state])).toEqual(
      [
        ['snapshot', 'kept'],
        ['export', 'kept'],
      ],
    )
  expect(checks[`${KEY}>nas`]).toMatchObject({ state: 'done' })
  const mine = made(world).filter(({ manifest }) => manifest.instance === KEY)
  // Of eleven; those that are newer than a day stay.
  expect(mine.length).toBeGreaterThan(1)
  expect(mine.length).toBeLessThan(11)
  expect(volumesOf(world)).toEqual(['data'])
})

test('one of a cluster’s member is neither exported nor promised, and that is told', async () => {
  const world = await begin({ policy: { export: { to: 'nas', schedule: '@hourly' } } })
  await pass(world, 5 * MINUTE)
  on(world).location = 'n1'
  const before = made(world).length
  await passIdly(world, 3 * HOUR)
  expect(made(world)).toHaveLength(before)
  const { promises, conditions } = await statusIn(world)
  expect(promises.flatMap(({ kind, subject }) => (subject === KEY ? [kind] : []))).toEqual(['snapshot'])
  expect(JSON.stringify(conditions)).toContain('no exports of the volumes of a cluster')
  expect((await wish(world)).refusal?.reason).toContain('one member of a cluster')
})

describe('is refused, with what to do', () => {
  test('for an ISO image, of which there are no snapshots', async () => {
    const world = await begin({ content: 'iso' })
    on(world).snapshots.clear()
    expect((await wish(world)).refusal?.reason).toContain('ISO image')
  })

  test('in the form of its driver, where that has none', async () => {
    const world = await begin({ driver: 'dir' })
    expect((await wish(world, { optimized: true })).refusal?.reason).toContain('no form of its own')
  })

  test('without any of that, where its project allows no exports', async () => {
    const world = await begin()
    Object.assign(world.incus.main.state.projects.get('default')?.config ?? {}, {
      ...{ 'features.profiles': 'true', restricted: 'true', 'restricted.snapshots': 'allow' },
    })
    expect((await wish(world)).refusal?.reason).toContain('restricted.backups=allow')
  })
})

test('whoever has stolen the signing key has no volume deleted that calls itself one of those', async () => {
  const world = await begin()
  const name = `stapes-export-${'a'.repeat(24)}`
  Object.assign(on(world), { name })
  const { volumes } = findPool(world.incus.main.state, 'default')
  volumes.set(`default/${name}`, on(world))
  on(world).config['user.stapes.exporting'] = `${SNAPSHOT} ~x`
  await attack(world, [
    { do: 'remove-clone', ref: { remote: 'main', project: 'default', instance: `default:${name}` } },
  ])
  await pass(world, 3 * HOUR, 5 * MINUTE)
  expect(volumes.has(`default/${name}`)).toBe(true)
})
