/** A world to look at: web is backed up, db holds a snapshot, lab is under no policy. */
import { seedInstance, write } from '../emulator/scene.ts'
import { nextMinute } from '../simulation/passing.ts'
import { createWorld, type World } from '../simulation/world.ts'

const START = new Date('2026-11-20T00:00:30Z')

export const DOCUMENT = {
  defaults: { remotes: ['main'] },
  policies: {
    hourly: {
      select: { instances: ['web', 'db'] },
      schedule: '@hourly',
      keep: { last: 6 },
      copy: { remote: 'backup' },
    },
    nightly: { select: { instances: ['db'] }, schedule: '0 3 * * *', keep: { daily: 7 }, expiry: '14d' },
  },
}

export type PageScene = { world: World; pass(minutes: number): Promise<void> }

export async function openScene(
  document: object = DOCUMENT,
  names: readonly string[] = ['web', 'db'],
): Promise<PageScene> {
  const world = createWorld({ start: START })
  const { incus, clock } = world
  for (const name of names) write(seedInstance(incus.main, { name, running: true }), `${name} 0`, 60e6)
  seedInstance(incus.main, { name: 'lab', running: true })
  await world.apply(document)
  return {
    world,
    async pass(minutes) {
      for (let minute = 0; minute < minutes; minute++) await world.tick(nextMinute({ clock }))
    },
  }
}
