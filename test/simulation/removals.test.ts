/** One export is held, released or removed on request: what is said of it stands in its store, and the relay goes by that. */
import { beforeEach, describe, expect, test } from 'vitest'
import { type Io, planOnly } from '../../functions/run.ts'
import { digestText, linesOf } from '../../shared/plan/lines.ts'
import type { Step } from '../../shared/relay/steps.ts'
import type { BackupRequest } from '../../shared/work/kinds.ts'
import { seedInstance, write } from '../emulator/scene.ts'
import { ask as askOf, attack as attackOn } from './asking.ts'
import { passIdly, passUntil } from './passing.ts'
import { DAY, HOUR, MINUTE } from './scenes.ts'
import { killRelay } from './strikes.ts'
import { createWorld, type World } from './world.ts'

const START = Date.parse('2026-11-20T00:00:30Z')
const REF = { remote: 'main', project: 'default', instance: 'web' }
/** The first three of them. */
const [FIRST, SECOND, NEWEST] = ['20261119T232000Z', '20261120T002000Z', '20261120T022000Z']

let world: World
beforeEach(async () => {
  world = createWorld({ start: new Date(START) })
  world.stores.minRetention = 0
  world.stores.saveMs = 5_000
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web', 1e6)
  await world.clock.advance(world.clock.now() + 10)
  await apply(9)
  await passUntil(world, '2026-11-20T02:40:00Z')
  expect(names()).toHaveLength(4)
})

const apply = (last: number, schedule = '20 * * * *') =>
  world.apply({
    policies: {
      p: {
        remotes: ['main'],
        schedule: '10 * * * *',
        keep: { last: 9 },
        export: { to: 'nas', schedule, keep: { last } },
      },
    },
  })

/** Apart from ticks: KV takes one write a second. */
async function ask(request: object) {
  await world.clock.advance(world.clock.now() + 5_000)
  return askOf(world, request)
}

const names = (): string[] => [...world.stores.made.keys()].flatMap((key) => key.split(' ')[2] ?? []).sort()
const of = (name = FIRST) => ({ instance: 'web', from: 'nas', export: name }) as const
const minutes = (many: number) => passIdly(world, many * MINUTE)
const remove = (name?: string, more: object = {}) =>
  ask({ do: 'remove-export', ...of(name), grace: 2 * 86_400, ...more })

async function reasonOf(name: string): Promise<string | undefined> {
  const io = world.places[0] as Io
  const request = { do: 'look' } as unknown as BackupRequest
  const at = new Date(world.clock.now())
  const plan = await world.clock.settle(planOnly({ kind: 'run', at, request }, io))
  return linesOf(plan ?? (await Promise.reject(new Error('there is no plan')))).find(
    ({ what }) => what === `nas:${name}`,
  )?.reason
}

/** By the signing key alone. */
const attack = (...steps: Step[]): Promise<string> => attackOn(world, steps)
const at = { ref: REF, store: 'nas' } as const

describe('one that is held', () => {
  test('stays whatever its policy says and whatever is lost, with the reason; released, it goes a day later', async () => {
    expect(await ask({ do: 'hold-export', ...of(), note: 'audit' })).toMatchObject({
      results: [{ state: 'done', line: { sign: '#', what: `nas:${FIRST}`, reason: 'held: audit' } }],
    })
    world.kv.wipe(['ledger', 'promises'])
    world.relay.kill()
    await apply(2)
    await minutes(130)
    expect(names()).toContain(FIRST)
    expect(names()).not.toContain(SECOND)
    expect(await reasonOf(FIRST)).toBe('held: audit')
    expect(await ask({ do: 'hold-export', ...of(), note: 'more' })).toMatchObject({
      results: [],
      lines: [{ reason: 'it is already held: audit' }],
    })
    await ask({ do: 'release-export', ...of() })
    expect(await ask({ do: 'release-export', ...of() })).toMatchObject({
      results: [],
      lines: [{ reason: 'it is not held' }],
    })
    await passIdly(world, 23 * HOUR)
    expect(names()).toContain(FIRST)
    await passIdly(world, 3 * HOUR)
    expect(names()).not.toContain(FIRST)
  })

  test('is removed by nobody, also not by a stolen key, and not at once when that has released it', async () => {
    await ask({ do: 'hold-export', ...of(), note: 'audit' })
    expect(await remove()).toMatchObject({
      refusal: { reason: `${FIRST} of main/default/web is held: audit; release it first (release-export)` },
    })
    const end = new Date(world.clock.now()).toISOString()
    const removal: Step = { do: 'note-export', ...at, name: FIRST, note: { do: 'remove', end, last: false } }
    expect(await attack(removal)).toContain('it is held: audit')
    expect(await attack({ do: 'drop-export', ...at, name: FIRST })).toContain('it is held: audit')
    await attack({ do: 'note-export', ...at, name: FIRST, note: { do: 'release' } }, removal)
    expect(await attack({ do: 'drop-export', ...at, name: FIRST })).toContain('it was held until lately')
    const { manifest } = world.stores.made.get(`nas main/default/web ${FIRST}`) ?? {}
    const { policy = '', owner = '' } = manifest ?? {}
    expect(await attack({ do: 'expire-export', ...at, name: FIRST, policy, owner })).toContain('until lately')
    expect(names()).toContain(FIRST)
  })

  test('by its store itself is released there', async () => {
    world.stores.held.add(`nas main/default/web ${FIRST}`)
    expect(await ask({ do: 'release-export', ...of() })).toMatchObject({
      refusal: { code: 'not-ours', reason: expect.stringContaining('releases it there') },
    })
    expect(await remove()).toMatchObject({ refusal: { code: 'forbidden' } })
  })
})

describe('one that is removed', () => {
  test('is there for two days, which lists say, and then goes; no other one does', async () => {
    const before = await world.clock.settle(
      planOnly(
        {
          kind: 'run',
          at: new Date(world.clock.now()),
          request: { do: 'remove-export', ...of(), grace: 172_800, reason: 'asked' } as BackupRequest,
        },
        world.places[0] as Io,
      ),
    )
    expect(digestText(before ?? (await Promise.reject(new Error('no plan'))))).toContain(
      `remove-export main/default/web nas ${FIRST} p-20261120T0000Z`,
    )
    await apply(200, '20 3 * * *')
    expect(await remove()).toMatchObject({
      results: [
        {
          state: 'done',
          line: {
            sign: '-',
            reason: expect.stringMatching(/on 2026-11-22T02:4.*undo-export main\/default\/web/),
          },
        },
      ],
    })
    expect(await reasonOf(FIRST)).toMatch(/^somebody has it removed on 2026-11-22/)
    await passIdly(world, 2 * DAY - HOUR)
    expect(names()).toContain(FIRST)
    await passIdly(world, 2 * HOUR)
    expect(names()).not.toContain(FIRST)
    expect(names()).toEqual(expect.arrayContaining([SECOND, NEWEST]))
  })

  test.each(['undo-export', 'hold-export'] as const)(
    'and taken back by %s stays, also where a tick had the ledger from before',
    async (what) => {
      await remove()
      const stale = world.kv.peek('ledger') ?? ''
      await minutes(30)
      await ask({ do: what, ...of(), note: 'audit' } as Omit<BackupRequest, 'reason'>)
      const { work } = JSON.parse(stale)
      const now = JSON.parse(world.kv.peek('ledger') ?? '{}')
      expect(Object.keys(now.work).filter((key) => key.startsWith('removal '))).toEqual([])
      world.kv.restore('ledger', JSON.stringify({ ...now, work: { ...now.work, ...work } }))
      await passIdly(world, 3 * DAY)
      // Its own policy keeps the last nine.
      if (what === 'hold-export') expect(names()).toContain(FIRST)
      expect(await ask({ do: 'undo-export', ...of(names()[0]) })).toMatchObject({
        results: [],
        lines: [{ reason: expect.stringContaining('nothing to take back') }],
      })
    },
  )

  test('and taken back right before it would go, after all was read, stays', async () => {
    await apply(200, '20 3 * * *')
    await remove(FIRST, { grace: 3600 })
    const key = `nas main/default/web ${FIRST}`
    let isAsked = false
    world.stores.around = async (what, when) => {
      if (what !== 'remove' || when !== 'before') return
      isAsked = true
      const said = world.stores.notes.get(key) ?? []
      const undo = { word: 'undo', at: world.clock.now(), age: null, note: { do: 'undo' } } as const
      world.stores.notes.set(key, [...said, undo])
    }
    await passIdly(world, 3 * HOUR)
    expect(isAsked).toBe(true)
    expect(names()).toContain(FIRST)
  })

  test('as the newest one only where that is said, and its store’s configuration allows it', async () => {
    await apply(9, '20 3 1 * *')
    expect(await remove(NEWEST)).toMatchObject({ refusal: { reason: expect.stringContaining('--last') } })
    expect(await remove(NEWEST, { last: true })).toMatchObject({
      refusal: { reason: expect.stringContaining('"removeLast": true') },
    })
    const soon = new Date(world.clock.now() + 2 * DAY).toISOString()
    const note: Step = {
      do: 'note-export',
      ...at,
      name: NEWEST,
      note: { do: 'remove', end: soon, last: true },
    }
    expect(await attack(note)).toContain('removeLast')
    world.stores.about = { removeLast: true }
    const now = new Date(world.clock.now()).toISOString()
    expect(await attack({ ...note, note: { do: 'remove', end: now, last: true } } as Step)).toContain(
      'for a day',
    )
    expect(await remove(NEWEST, { last: true, grace: 0 })).toMatchObject({
      results: [{ state: 'done', line: { reason: expect.stringContaining('NEWEST WHOLE') } }],
    })
    await passIdly(world, 23 * HOUR)
    expect(names()).toContain(NEWEST)
    await passIdly(world, 3 * HOUR)
    expect(names()).not.toContain(NEWEST)
  })

  test('goes once its store lets it, at the date that says', async () => {
    const until = Date.parse('2026-11-23T00:00:00Z')
    world.stores.lockedUntil = () => until
    await apply(200, '20 3 * * *')
    await remove(FIRST, { grace: 3600 })
    await passIdly(world, 2 * HOUR)
    expect(JSON.parse(world.kv.peek('ledger') ?? '{}').work).toMatchObject({
      [`removal main/default/web>nas/${FIRST}`]: { retryAt: '2026-11-23T00:00:00.000Z' },
    })
    await passIdly(world, until - world.clock.now() - 5 * MINUTE)
    expect(names()).toContain(FIRST)
    await minutes(30)
    expect(names()).not.toContain(FIRST)
  })

  test('of an instance that is gone goes, too', async () => {
    world.incus.main.state.projects.get('default')?.instances.delete('web')
    await ask({
      do: 'remove-export',
      instance: 'main/default/web',
      from: 'nas',
      export: FIRST,
      grace: 0,
    })
    await passIdly(world, DAY)
    expect(names()).not.toContain(FIRST)
    expect(names()).toContain(SECOND)
  })

  test('by a stolen key goes no sooner than half of the old ones within a day', async () => {
    await apply(200, '20 3 1 * *')
    await passIdly(world, 2 * DAY)
    const end = new Date(world.clock.now()).toISOString()
    for (const name of names())
      await attack(
        { do: 'note-export', ...at, name, note: { do: 'remove', end, last: false } },
        { do: 'drop-export', ...at, name },
      )
    for (const name of names()) await attack({ do: 'drop-export', ...at, name })
    expect(names()).toHaveLength(2)
    expect(names()).toContain(NEWEST)
  })
})

test('a removal that the ledger could not note is found in its store, and goes', async () => {
  world.kv.refusing = true
  await remove(FIRST, { grace: 3600 })
  world.kv.refusing = false
  expect(world.kv.peek('ledger')).not.toContain('removal ')
  await passIdly(world, 4 * HOUR)
  expect(names()).not.toContain(FIRST)
  expect(names()).toContain(SECOND)
})

test.each([
  [{ from: 'tape' }, /no store "tape"; it has nas, r2/],
  [{ export: 'newest' }, /"newest" is no name of an export: \/backup exports web/],
  [{ export: '20200101T000000Z' }, /nas has no export 20200101T000000Z/],
  [{ instance: 'wbe' }, /no instance "wbe"/],
])('what is wrong in %j is said before anything is begun', async (more, why) => {
  const ran = await ask({ do: 'remove-export', ...of(), grace: 0, ...more })
  expect(ran).toMatchObject({ results: [], refusal: { reason: expect.stringMatching(why) } })
})

test('a store that can’t be read is no store without it', async () => {
  world.stores.isDown = true
  expect(await remove()).toMatchObject({ refusal: { code: 'unreadable' } })
})

describe('the relay is killed', () => {
  /** Survey, survey and note of the request; survey, survey and removal of what is due. */
  const moments = ['survey 1', 'survey 2', 'note 1', 'survey 3', 'survey 4', 'remove 1'].flatMap((moment) =>
    (['before', 'after'] as const).map((when) => ({ moment, when })),
  )

  test.each(moments)(
    '$when $moment of a removal: asked for until it stands there, it goes once',
    async ({ moment, when }) => {
      await apply(200, '20 3 1 * *')
      const counts = new Map<string, number>()
      let isKilled = false
      world.stores.around = async (what, now) => {
        if (now === 'before') counts.set(what, (counts.get(what) ?? 0) + 1)
        if (isKilled || now !== when || `${what} ${counts.get(what)}` !== moment) return
        isKilled = true
        world.clock.after(1, () => killRelay(world))
        await new Promise<void>((resolve) => world.clock.after(2, resolve))
      }
      for (let tried = 0; tried < 3; tried++) {
        const ran = await remove(FIRST, { grace: 3600 })
        if (JSON.stringify(ran).includes('"state":"done"')) break
        await minutes(5)
      }
      await passIdly(world, 5 * HOUR)
      expect(isKilled).toBe(true)
      expect(names()).not.toContain(FIRST)
      expect(names()).toHaveLength(3)
    },
  )
})
