/** What is not well reaches people: each thing once, within two minutes, and what is over as well. */
import { expect, test } from 'vitest'
import { setFull } from '../emulator/breakage.ts'
import { instanceOf, write } from '../emulator/scene.ts'
import { begin, CHANNELS, type Town } from './notify-town.ts'
import { statusIn } from './status.ts'

/** When the status said first that all is not well. */
const firstBad = ({ seen }: Town, from = 0): number =>
  seen.find(({ minute, health }) => minute >= from && health === 'bad')?.minute ?? Number.NaN

/** A minute and a bit until KV has settled, and the tick itself. */
const SOON = 2

test('a server that is down with 50 instances is one message, and its end another', async () => {
  const instances = Array.from({ length: 50 }, (_, index) => `web${index}`)
  const town = await begin({ instances })
  await town.pass(20)
  expect(town.posts).toEqual([])
  town.world.incus.main.kill()
  await town.pass(170)
  town.world.incus.main.start()
  await town.pass(200)
  const [told, over, ...more] = town.posts
  expect(told).toMatchObject({ kind: 'alarm', title: 'main gives no answer' })
  expect(told?.text).toContain('Still safe, the oldest first:\n• main/default/web0: hourly-20261122T0300Z')
  expect(told?.text).toContain('verified on backup/default/web0')
  expect((told?.minute ?? 99) - firstBad(town)).toBeLessThan(SOON)
  expect(over).toMatchObject({
    kind: 'recovery',
    title: expect.stringMatching(/^Over after \d h: main gives/),
  })
  expect(over?.text).toContain('promises are kept again')
  expect(more).toEqual([])
  expect((await statusIn(town.world)).health).not.toBe('bad')
})

/** Of an instance alone, or of all: a full pool. */
const full = (town: Town, name = ''): void => {
  town.world.incus.main.faults = ({ method, path }) =>
    method === 'POST' && path.startsWith(`/1.0/instances/${name}`) && path.includes('/snapshots')
      ? { before: { status: 500, error: 'No space left on device' } }
      : null
}

test('a full pool is one message, which says what to do, and one more when the snapshots are taken again', async () => {
  const town = await begin({ instances: ['db', 'mail', 'web'] })
  await town.pass(20)
  full(town)
  await town.pass(150)
  town.world.incus.main.faults = () => null
  await town.pass(230)
  expect(town.posts).toMatchObject([
    { kind: 'alarm', title: expect.stringMatching(/^backups of 3 instances fail: No space left on device/) },
    { kind: 'recovery' },
  ])
  expect(town.posts[0]?.text).toContain('free space in the storage pool')
  expect((town.posts[0]?.minute ?? 99) - firstBad(town)).toBeLessThan(SOON)
})

test('a copy that fails late in each long try is one message, and is not over while the next try runs', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(20)
  const { main, backup } = town.world.incus
  const web = instanceOf(main, { name: 'web' })
  write(web, 'web 2', 60e6)
  backup.bandwidth = main.bandwidth = 100e3
  const isRunning = (): boolean => town.world.kv.peek('ledger')?.includes('"state":"running"') ?? false
  for (let minute = 21; minute < 130; minute++) {
    // What follows the snapshot finds no room.
    write(web, `web at ${minute}`, 60e6)
    setFull(backup, isRunning())
    await town.pass(minute)
  }
  expect((await statusIn(town.world)).warnings).toContainEqual(
    expect.stringMatching(
      /^the copy of main\/default\/web>\S+ failed \([4-9] tries\): .*No space left on device/,
    ),
  )
  expect(town.posts).toMatchObject([
    { kind: 'alarm', title: expect.stringContaining('No space left on device') },
  ])
  setFull(backup, false)
  backup.bandwidth = main.bandwidth = null
  await town.pass(190)
  expect(town.posts.map(({ kind }) => kind)).toEqual(['alarm', 'recovery'])
  expect((await statusIn(town.world)).health).toBe('good')
})

test('ticks at several places at once, each with a stale KV, tell it once', async () => {
  const town = await begin({ instances: ['web'] })
  await town.pass(20, [0, 1])
  town.world.incus.main.kill()
  await town.pass(150, [0, 1])
  town.world.incus.main.start()
  await town.pass(200, [1, 0])
  expect(town.posts.map(({ kind }) => kind)).toEqual(['alarm', 'recovery'])
  expect((town.posts[0]?.minute ?? 99) - firstBad(town)).toBeLessThan(SOON)
})

const TWO = { ...CHANNELS, other: { ...CHANNELS.ops, url: { secret: 'NOTIFY_OTHER' } } }

test('a channel that fails keeps nothing from the other one, which tells that too, and catches up', async () => {
  const town = await begin({ channels: TWO })
  await town.pass(20)
  town.answer.of = (channel) => (channel === 'ops' ? 500 : 200)
  town.world.incus.main.kill()
  await town.pass(120)
  const dead = town.titles('other').filter((title) => title.includes('notifications to "ops"'))
  expect(town.titles('other', 'alarm')).toEqual(['main gives no answer', ...dead])
  expect(dead).toEqual([
    expect.stringMatching(/^notifications to "ops" \(webhook\) have failed since .*: 500/),
  ])
  expect((await statusIn(town.world)).warnings).toContainEqual(
    expect.stringContaining('notifications to "ops"'),
  )
  const tries = town.posts.filter(({ channel }) => channel === 'ops')
  expect(tries.length).toBeLessThan(9)
  expect(new Set(tries.map(({ id }) => id)).size).toBe(1)
  town.answer.of = () => 200
  await town.pass(180)
  expect(town.titles('ops')).toEqual(['main gives no answer'])
  expect(town.titles('other', 'recovery')).toEqual([expect.stringContaining('notifications to "ops"')])
})

test('a channel whose secret is not set is told of before anything is to be told there', async () => {
  const town = await begin({
    channels: { ...CHANNELS, nope: { type: 'slack', url: { secret: 'NOTIFY_NOPE' } } },
  })
  await town.pass(60)
  const { health, warnings } = await statusIn(town.world)
  const why = expect.stringMatching(/"nope" \(slack\) .* the secret NOTIFY_NOPE is not set: npx wrangler/)
  expect({ health, warnings }).toEqual({ health: 'warning', warnings: [why] })
  expect(town.titles('ops')).toEqual([expect.stringContaining('"nope"')])
})

test('after KV takes writes again the end of what was told meanwhile is told, once', async () => {
  const town = await begin({})
  await town.pass(20)
  town.world.kv.refusing = true
  await town.pass(60 * 4)
  const told = town.titles('ops', 'alarm')
  expect(told).not.toEqual([])
  expect(new Set(told).size).toBe(told.length)
  town.world.kv.refusing = false
  await town.pass(60 * 5)
  expect((await statusIn(town.world)).health).toBe('good')
  const over = town.posts.filter(({ kind }) => kind === 'recovery').flatMap(({ alarms }) => alarms)
  const alarms = town.posts.filter(({ kind }) => kind === 'alarm').flatMap((one) => one.alarms)
  expect(over.sort()).toEqual([...new Set(alarms)].sort())
})

test('a server that answers again is told to, though a slot was missed that only the next one makes up for', async () => {
  const town = await begin({ policy: { schedule: '0 3 * * *', catchup: '1h' } })
  await town.pass(60 * 23)
  town.world.incus.main.kill()
  await town.pass(60 * 26)
  town.world.incus.main.start()
  await town.pass(60 * 28)
  const apart = expect.stringMatching(
    /^2 promises to .* its slot of 2026-11-23 03:00 UTC was missed, and it waits/,
  )
  expect(town.titles('ops', 'alarm')).toEqual(['main gives no answer', apart])
  expect(town.titles('ops', 'recovery')).toEqual(['Over after 3 h: main gives no answer'])
  expect((await statusIn(town.world)).warnings.join('\n')).not.toMatch(/^main.*ECONNREFUSED/)
  await town.pass(60 * 50)
  expect(town.titles('ops', 'alarm')).toHaveLength(2)
  expect(town.titles('ops', 'recovery')).toHaveLength(2)
})

test('when it is forgotten what was told, it is told once more, and not at each tick', async () => {
  const town = await begin({})
  await town.pass(20)
  town.world.incus.main.kill()
  await town.pass(100)
  town.world.kv.wipe(['notices'])
  await town.pass(150, [1])
  expect(town.titles('ops')).toEqual(['main gives no answer', 'main gives no answer'])
})

test.each([['promises'], ['ledger'], ['promises', 'ledger'], ['config']])(
  'nothing is said to be over because %s and what else was known is lost',
  async (...keys) => {
    const town = await begin({})
    await town.pass(20)
    full(town)
    await town.pass(150)
    town.world.kv.wipe(keys)
    await town.pass(165)
    // But that nothing was known.
    const over = town.titles('ops', 'recovery').filter((title) => !title.includes('nothing is known'))
    expect(over).toEqual([])
  },
)

test('while KV takes no writes, each process tells it once', async () => {
  const town = await begin({})
  await town.pass(20)
  town.world.kv.refusing = true
  town.world.incus.main.kill()
  await town.pass(150)
  const titles = town.posts.map(({ title }) => title)
  expect(titles).toContainEqual(expect.stringContaining('does KV take writes?'))
  expect(new Set(titles.map((title) => title.replace(/\d+/g, '#'))).size).toBe(titles.length)
})

test('one that is no longer configured is told so, with what is wrong then', async () => {
  const town = await begin({})
  await town.pass(20)
  await town.world.apply({ policies: {} })
  await town.pass(30)
  expect(town.posts).toMatchObject([
    { kind: 'goodbye', title: expect.stringContaining('No notifications come here any more') },
  ])
  expect(town.posts[0]?.text).toContain('there are no policies, so nothing is backed up')
  await town.pass(60)
  expect(town.posts).toHaveLength(1)
})

test('nothing is written to KV while nothing is to be told', async () => {
  const town = await begin({})
  await town.pass(30)
  const before = town.world.kv.peek('notices')
  await town.pass(90)
  expect(town.world.kv.peek('notices')).toBe(before)
})
