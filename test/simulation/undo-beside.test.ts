/** Removals that can be undone, beside what else happens to their instance until Incus executes them. */
import { describe, expect, test } from 'vitest'
import { DAY, HOUR, MINUTE } from './scenes.ts'
import { ask, begin, endOf, MARK, NAME, pass, remove, web } from './undo-scene.ts'
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
