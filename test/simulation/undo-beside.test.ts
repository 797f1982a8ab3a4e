/** Removals that can be undone, beside what else happens to their instance until Incus executes them. */
import { describe, expect, test } from 'vitest'
import { ask } from './asking.ts'
import { pass } from './passing.ts'
import { DAY, HOUR, MINUTE } from './scenes.ts'
import { begin, endOf, MARK, NAME, remove, undo, web } from './undo-scene.ts'
import type { World } from './world.ts'

const HOLD = `user.stapes.hold.${NAME}`
const delay = { keep: { last: 99 } }
const deleteByHand = (world: World, snapshot: string) =>
  world.incus.main.handle({ method: 'DELETE', path: `/1.0/instances/web/snapshots/${snapshot}` })
const names = (world: World): string[] => [...web(world).snapshots.keys()].sort()

describe('a removal in its grace is taken back', () => {
  test.each([0, 4])(
    'of a snapshot that somebody holds on the server, %i minutes before it would go',
    async (left) => {
      const world = await begin(delay)
      await remove(world, { grace: 5 * 3600 })
      const end = endOf(world) ?? 0
      await pass(world, left === 0 ? 30 * MINUTE : end - world.clock.now() - left * MINUTE)
      web(world).config[HOLD] = 'audit'
      await pass(world, 6 * HOUR)
      expect(endOf(world)).toBeNull()
      expect(web(world).config).not.toHaveProperty([MARK])
    },
  )

  test('by a hold that is asked for, and stays so once that is released', async () => {
    const world = await begin(delay)
    await remove(world)
    const held = await ask(world, { do: 'hold', instance: 'web', snapshot: NAME, note: 'audit' })
    expect(held.lines).toMatchObject([
      { what: NAME, reason: expect.stringContaining('its removal is taken back') },
    ])
    expect(endOf(world)).toBeNull()
    expect(web(world).config).not.toHaveProperty([MARK])
    await ask(world, { do: 'release', instance: 'web', snapshot: NAME })
    await pass(world, 3 * DAY, 15 * MINUTE)
    expect(endOf(world)).toBeNull()
  })

  test('where it is the newest by now, because somebody deleted those that came after it', async () => {
    const world = await begin(delay)
    await remove(world, { grace: 3 * 3600 })
    await world.apply({
      policies: { hourly: { remotes: ['main'], schedule: '0 3 * * *', keep: { last: 99 } } },
    })
    for (const name of names(world).filter((one) => one > NAME)) await deleteByHand(world, name)
    const end = endOf(world) ?? 0
    await pass(world, end - world.clock.now() + 10 * MINUTE)
    expect(names(world)).toContain(NAME)
    expect(endOf(world)).toBeNull()
    expect(web(world).config).not.toHaveProperty([MARK])
    // Then it may not be removed by its name, either.
    expect((await remove(world)).lines).toMatchObject([
      { reason: 'it is the newest snapshot of the instance' },
    ])
  })

  test('where the next refresh of its copy needs it, because somebody deleted those that it had built on', async () => {
    const copy = { remote: 'backup', keep: { last: 2 }, mirror: true }
    const world = await begin({ ...delay, copy })
    await remove(world, { grace: 3 * 3600 })
    for (const name of names(world).filter((one) => one > NAME)) await deleteByHand(world, name)
    await pass(world, 4 * HOUR)
    expect(names(world)).toContain(NAME)
    expect(names(world).at(-1)).not.toBe(NAME)
    expect(endOf(world)).toBeNull()
  })
})

describe('a restore in place', () => {
  const restore = async (world: World, snapshot: string): Promise<void> => {
    const asked = await ask(world, { do: 'restore', instance: 'web', snapshot })
    expect(asked.results).toMatchObject([{ state: 'started' }])
    await pass(world, 20 * MINUTE)
    expect(web(world).config).toHaveProperty(['user.stapes.restored'])
  }

  test('keeps the marks of what is going, so that it can be undone all the same', async () => {
    const world = await begin(delay)
    await remove(world)
    const mark = web(world).config[MARK]
    await restore(world, 'hourly-20261120T0300Z')
    expect(web(world).config[MARK]).toBe(mark)
    expect((await undo(world)).results).toMatchObject([{ state: 'done' }])
    expect(endOf(world)).toBeNull()
    expect(web(world).config).not.toHaveProperty([MARK])
  })

  test('brings back no mark of what was going when its snapshot was taken, and isn’t any more', async () => {
    const world = await begin(delay)
    await remove(world)
    await pass(world, HOUR)
    await undo(world)
    await restore(world, 'hourly-20261120T0500Z')
    expect(web(world).config).not.toHaveProperty([MARK])
    await pass(world, 3 * DAY, 15 * MINUTE)
    expect(endOf(world)).toBeNull()
  })
})

test.each([0, undefined])(
  'the newest is not removed either where a mark that is not so says that it goes (grace %s)',
  async (grace) => {
    const world = await begin(delay)
    const newest = names(world).at(-1) ?? ''
    web(world).config[`user.stapes.undo.${newest}`] =
      `${new Date(world.clock.now() + DAY).toISOString()} never`
    const refused = await ask(world, { do: 'expire', instances: ['web'], snapshots: ['hourly-*'], grace })
    expect(refused.lines).toContainEqual(
      expect.objectContaining({
        sign: '=',
        what: newest,
        reason: 'it is the newest snapshot of the instance',
      }),
    )
    expect(names(world)).toContain(newest)
  },
)
