/** Restores of custom volumes in place: answered only once they are done, and refused while what uses one runs. */
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { RouteName } from '../../shared/incus/routes.ts'
import { succeed } from './calls.ts'
import type { World } from './incus.ts'
import { type Reply, readMetadata } from './side.ts'

const volumeSchema = z.looseObject({
  description: z.string(),
  config: z.record(z.string(), z.string()),
})
const stateSchema = z.looseObject({ status: z.string() })

export function volumeRestoreContract(world: World): void {
  describe('a restore of a custom volume', () => {
    let volume: string
    let user: string
    const server = () => world.main.server
    const ask = (route: RouteName, body?: unknown): Promise<Reply> =>
      world.main.ask(route, {
        parameters: { pool: server().pool, volume, ...(route === 'getVolume' ? { type: 'custom' } : {}) },
        ...(body === undefined ? {} : { body }),
      })
    const setState = async (body: object): Promise<void> => {
      await succeed(
        world.main,
        await world.main.ask('startInstance', { parameters: { instance: user }, body }),
      )
    }
    const status = async (): Promise<string> => {
      const one = await world.main.ask('getInstance', { parameters: { instance: user } })
      return readMetadata(one, stateSchema).status
    }

    beforeAll(async () => {
      volume = world.fresh('restored-data')
      user = world.fresh('restored-user')
      await server().createVolume(volume)
      await server().createInstance({ name: user, running: true })
      await server().writeVolume(volume, 'then', 1000)
      await succeed(world.main, await ask('createVolumeSnapshot', { name: 's1' }))
      await server().writeVolume(volume, 'now', 1000)
      await succeed(world.main, await ask('createVolumeSnapshot', { name: 's2' }))
      const marks = { config: { 'user.stapes.restoring': 'since' }, description: 'of the shop' }
      await ask('markVolume', marks)
      await server().useVolume({ name: user }, volume)
    })

    test('is refused while an instance that uses it runs, or is frozen', async () => {
      const why = 'Cannot restore custom volume used by running instances'
      const refused = await ask('restoreVolume', { restore: 's1' })
      expect([refused.status, refused.envelope.error]).toEqual([500, why])
      await setState({ action: 'freeze' })
      expect((await ask('restoreVolume', { restore: 's1' })).envelope.error).toBe(why)
      await setState({ action: 'unfreeze' })
      expect(await server().readVolumeMarker(volume)).toBe('now')
    })

    test('is done once it is answered, and changes neither config nor description, nor newer snapshots', async () => {
      await setState({ action: 'stop', timeout: 60, force: false })
      expect(await status()).toBe('Stopped')
      const done = await ask('restoreVolume', { restore: 's1' })
      expect([done.status, done.envelope.type]).toEqual([200, 'sync'])
      expect(await server().readVolumeMarker(volume)).toBe('then')
      const { config, description } = readMetadata(await ask('getVolume'), volumeSchema)
      expect([config['user.stapes.restoring'], description]).toEqual(['since', 'of the shop'])
      expect(await server().readVolumeMarker(volume, 's2')).toBe('now')
      await setState({ action: 'start' })
      expect(await status()).toBe('Running')
      await server().setRunning({ name: user }, false)
    })

    test('to a snapshot that is not there fails', async () => {
      expect((await ask('restoreVolume', { restore: 'nope' })).status).toBe(500)
    })
  })
}
