/** What an import comes to: an instance made of a file, by what the file says of it, or nothing where the file has no end. */
import { describe, expect, test } from 'vitest'
import { describe as described } from '../../relay/export/described.ts'
import { rewritten } from '../../relay/export/rewritten.ts'
import { exists, readInstance, settle, snapshotNames, succeed } from './calls.ts'
import type { World } from './incus.ts'
import type { ContractInstance } from './server.ts'

const CONFIG = {
  'boot.autostart': 'false',
  'snapshots.schedule': '@never',
  'user.stapes.restoring-as': '20261122T030000Z export stopped making ~sealed',
  'user.text': 'a: "b"\n\u0085 \u2028{c} 😀',
}

export function importContract(world: World): void {
  /** The archive of an instance, as Incus makes it, with the description that is sent instead. */
  const archiveFor = async (name: string, body: object = {}): Promise<Uint8Array> => {
    const it: ContractInstance = { name: world.fresh('stored') }
    const { main } = world
    await main.server.createInstance({ ...it, config: { 'user.at': 'export' } })
    await main.server.write(it, 'as it was', 1000)
    const parameters = { instance: it.name }
    const backup = { name: it.name, instance_only: true, optimized_storage: false }
    await succeed(
      main,
      await main.ask('createBackup', { parameters, body: { ...backup, compression_algorithm: 'none' } }),
    )
    const { bytes } = await main.file('exportBackup', { parameters: { ...parameters, backup: it.name } })
    const { pool, driver } = main.server
    const base = { architecture: 'x86_64', type: 'container', profiles: ['default'], ephemeral: false }
    const description = {
      to: { remote: 'main', project: 'default', instance: name },
      body: { ...base, description: 'imported', config: CONFIG, devices: {}, ...body } as never,
      ...{ pool, driver, madeAt: new Date().toISOString() },
      root: { root: { type: 'disk', path: '/', pool } },
    }
    const chunks: Uint8Array[] = []
    for await (const chunk of rewritten(once(bytes), described(description))) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  describe('an import', () => {
    test('is described by the file alone, with its marks from the first moment, and has its data', async () => {
      const name = world.fresh('imported')
      const file = await archiveFor(name)
      const began = Date.now()
      const ended = await settle(world.main, await world.main.upload(name, file))
      expect([ended.status, ended.description]).toEqual(['Success', 'Restoring backup'])
      const made = await readInstance(world.main, { name })
      expect(made).toMatchObject({ status: 'Stopped', config: CONFIG, profiles: ['default'] })
      expect(made.config['user.at']).toBeUndefined()
      expect(Date.parse(made.last_used_at)).toBeLessThanOrEqual(0)
      expect(Date.parse(made.created_at)).toBeGreaterThan(began - 60_000)
      expect(await snapshotNames(world.main, { name })).toEqual([])
      expect(await world.main.server.readMarker({ name })).toBe('as it was')
    })

    test('into a pool that is named', async () => {
      const name = world.fresh('imported')
      const { pool } = world.main.server
      await succeed(world.main, await world.main.upload(name, await archiveFor(name), { pool }))
      expect(await world.main.server.readMarker({ name })).toBe('as it was')
    })

    test('makes nothing of a file that has no end, though every byte of it came', async () => {
      const name = world.fresh('imported')
      const file = await archiveFor(name)
      await expect(world.main.upload(name, file, { cut: true })).rejects.toThrow()
      await world.elapse(2)
      expect(await exists(world.main, { name })).toBe(false)
      await succeed(world.main, await world.main.upload(name, file))
    })

    test('under a name that is taken fails, and leaves that one alone', async () => {
      const it = await world.createInstance('taken')
      await world.main.server.write(it, 'somebody’s', 1000)
      const ended = await settle(world.main, await world.main.upload(it.name, await archiveFor(it.name)))
      expect([ended.status, ended.err]).toEqual(['Failure', expect.stringContaining('already exists')])
      expect(await world.main.server.readMarker(it)).toBe('somebody’s')
    })

    test('with other profiles, config and cards than its instance had, and its root disk', async () => {
      const name = world.fresh('imported')
      const { pool } = world.main.server
      const config = { ...CONFIG, 'limits.processes': '200' }
      const devices = { root: { type: 'disk', path: '/', pool }, eth9: { type: 'none' } }
      const file = await archiveFor(name, { profiles: [], config, devices })
      await succeed(world.main, await world.main.upload(name, file))
      expect(await readInstance(world.main, { name })).toMatchObject({ config, devices, profiles: [] })
      expect(await world.main.server.readMarker({ name })).toBe('as it was')
    })

    test('with a profile that is not there fails, and nothing of it stays', async () => {
      const name = world.fresh('imported')
      const file = await archiveFor(name, { profiles: ['default', 'nowhere'] })
      const reply = await world.main.upload(name, file)
      const text = reply.status < 400 ? (await settle(world.main, reply)).err : reply.envelope.error
      expect(text).toMatch(/profile/i)
      expect(await exists(world.main, { name })).toBe(false)
    })

    test('of what is no archive is refused', async () => {
      const reply = await world.main.upload(world.fresh('imported'), Buffer.from('no archive at all'))
      expect(reply.status).toBeGreaterThanOrEqual(400)
    })
  })
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
