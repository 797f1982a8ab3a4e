/** The files of an instance, and of a custom volume, over SFTP, stopped or running: what is read of a snapshot, and restored. */
import { describe, expect, test } from 'vitest'
import type { Sftp } from '../../relay/engine/files/sftp.ts'
import { exists, readOperation, startSnapshot, succeed, takeSnapshot } from './calls.ts'
import type { World } from './incus.ts'
import type { ContractInstance } from './server.ts'

const bytes = (text: string): Buffer => Buffer.from(text)

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield bytes(text)
}

const textOf = async (sftp: Sftp, path: string): Promise<string> => {
  const read: Buffer[] = []
  for await (const piece of sftp.read(bytes(path))) read.push(piece)
  return Buffer.concat(read).toString()
}

const namesIn = async (sftp: Sftp, path: string): Promise<string[]> => {
  const names: string[] = []
  for await (const some of sftp.list(bytes(path)))
    names.push(...some.map(({ name }) => name.toString('latin1')))
  return names.sort()
}

export function fileContract(world: World): void {
  /** Stopped, with a root of its own. */
  const stopped = async (): Promise<ContractInstance> => {
    const it = { name: world.fresh('files') }
    await world.main.server.createInstance({ ...it, running: true })
    await world.main.server.setRunning(it, false)
    return it
  }

  describe('the files of an instance', () => {
    test('that is stopped are read and written, with owner, mode and date set one by one', async () => {
      const it = await stopped()
      const sftp = await world.main.files(it)
      await sftp.makeFolder(bytes('/kept'))
      await sftp.write(bytes('/kept/new'), pieces('hello ', 'x'.repeat(100_000)))
      await sftp.setAttributes(bytes('/kept/new'), { uid: 12, gid: 13, mode: 0o640, modified: 1_600_000_000 })
      expect(await sftp.lstat(bytes('/kept/new'))).toEqual({
        ...{ size: 100_006, uid: 12, gid: 13, mode: 0o100640, modified: 1_600_000_000 },
      })
      expect(await textOf(sftp, '/kept/new')).toBe(`hello ${'x'.repeat(100_000)}`)
      expect(await sftp.lstat(bytes('/kept'))).toMatchObject({ mode: 0o040755 })
      expect(await sftp.lstat(bytes('/kept/none'))).toBeNull()
      sftp.close()
    })

    test('keep their names, whatever bytes these are', async () => {
      const sftp = await world.main.files(await stopped())
      await sftp.makeFolder(bytes('/names'))
      await sftp.write(Buffer.concat([bytes('/names/'), Buffer.from([0xff, 0xfe])]), pieces(''))
      await sftp.write(bytes('/names/line\nbreak'), pieces(''))
      expect(await namesIn(sftp, '/names')).toEqual(['line\nbreak', '\xff\xfe'])
      sftp.close()
    })

    test('are not overwritten, but replaced in one step; a link in that place is not followed', async () => {
      const sftp = await world.main.files(await stopped())
      await sftp.makeFolder(bytes('/swap'))
      await sftp.write(bytes('/swap/old'), pieces('old'))
      await expect(sftp.write(bytes('/swap/old'), pieces('new'))).rejects.toThrow('file exists')
      await sftp.makeLink(bytes('/swap/link'), bytes('../swap/old'))
      expect((await sftp.readLink(bytes('/swap/link'))).toString()).toBe('../swap/old')
      expect(await sftp.lstat(bytes('/swap/link'))).toMatchObject({ mode: 0o120777 })
      await sftp.write(bytes('/swap/new'), pieces('new'))
      await sftp.replace(bytes('/swap/link'), bytes('/swap/new'))
      expect(await namesIn(sftp, '/swap')).toEqual(['link', 'old'])
      expect([await textOf(sftp, '/swap/link'), await textOf(sftp, '/swap/old')]).toEqual(['new', 'old'])
      await expect(sftp.replace(bytes('/swap'), bytes('/swap/old'))).rejects.toThrow('file exists')
      await sftp.remove(bytes('/swap/old'))
      expect(await namesIn(sftp, '/swap')).toEqual(['link'])
      sftp.close()
    })

    test('lose what their mode has beyond the permissions where it is set, up to 6.0.4', async () => {
      const sftp = await world.main.files(await stopped())
      await sftp.write(bytes('/special'), pieces(''))
      await sftp.setAttributes(bytes('/special'), { mode: 0o4755 })
      const mode = world.has('direct_backup') ? 0o104755 : 0o100755
      expect(await sftp.lstat(bytes('/special'))).toMatchObject({ mode })
      sftp.close()
    })

    test('of a copy are those of its snapshot; and it goes once nobody reads it any more', async () => {
      const { main } = world
      const it = await stopped()
      await main.server.write(it, 'then', 1000)
      await takeSnapshot(main, it, 's1')
      await main.server.write(it, 'now', 1000)
      const name = `stapes-files-${world.fresh('f').replace(/\D/g, '').padStart(24, '0')}`
      const body = {
        ...{ name, source: { type: 'copy', source: `${it.name}/s1`, project: 'default' } },
        config: { 'boot.autostart': 'false', 'user.stapes.exporting': 'sealed' },
      }
      await succeed(main, await main.ask('receiveInstance', { query: { project: 'default' }, body }))
      const sftp = await main.files({ name })
      expect(await textOf(sftp, '/marker')).toBe('then')
      const removing = await main.ask('deleteInstance', { parameters: { instance: name } })
      await world.elapse(2)
      expect(await exists(main, { name })).toBe(true)
      sftp.close()
      await succeed(main, removing)
      expect(await exists(main, { name })).toBe(false)
    })

    test('hold up a snapshot of it, as long as somebody has them open', async () => {
      const { main } = world
      const it = await stopped()
      const sftp = await main.files(it)
      const taking = await startSnapshot(main, it, 's1')
      await world.elapse(2)
      const parameters = { operation: readOperation(taking).id }
      expect(readOperation(await main.ask('getOperation', { parameters })).status).toBe('Running')
      sftp.close()
      await succeed(main, taking)
    })

    test('that runs are written as well', async () => {
      const it = { name: world.fresh('files') }
      await world.main.server.createInstance({ ...it, running: true })
      const sftp = await world.main.files(it)
      await sftp.write(bytes('/live'), pieces('live'))
      expect(await textOf(sftp, '/live')).toBe('live')
      sftp.close()
      await world.main.server.setRunning(it, false)
    })

    test('of none are refused, and to a stranger', async () => {
      await expect(world.main.files({ name: 'none' })).rejects.toThrow('bad upgrade')
      await expect(world.main.files(await stopped(), 'untrusted')).rejects.toThrow('bad upgrade')
    })
  })

  describe('the files of a custom volume', () => {
    const made = async (): Promise<string> => {
      const volume = world.fresh('files-volume')
      await world.main.server.createVolume(volume)
      return volume
    }
    const at = (volume: string) => ({ pool: world.main.server.pool, volume })
    const isThere = async (volume: string): Promise<boolean> => {
      const parameters = { ...at(volume), type: 'custom' }
      return (await world.main.ask('getVolume', { parameters })).status === 200
    }

    test('are given by servers that say so, and by no others', async () => {
      const volume = await made()
      if (!world.has('custom_volume_sftp'))
        return void (await expect(world.main.volumeFiles(volume)).rejects.toThrow('bad upgrade'))
      const sftp = await world.main.volumeFiles(volume)
      await sftp.write(bytes('/new'), pieces('hello'))
      await sftp.setAttributes(bytes('/new'), { uid: 12, gid: 13, mode: 0o4750, modified: 1_600_000_000 })
      expect(await sftp.lstat(bytes('/new'))).toMatchObject({ uid: 12, gid: 13, mode: 0o104750 })
      await sftp.write(bytes('/other'), pieces('other'))
      await sftp.replace(bytes('/new'), bytes('/other'))
      expect(await textOf(sftp, '/new')).toBe('other')
      sftp.close()
    })

    test('of a copy are those of its snapshot, which is taken, and it is deleted, while they are open', async ({
      skip,
    }) => {
      skip(!world.has('custom_volume_sftp'), 'this Incus gives no files of custom volumes')
      const { main } = world
      const volume = await made()
      await main.server.writeVolume(volume, 'then', 1000)
      const live = await main.volumeFiles(volume)
      expect(await textOf(live, '/marker')).toBe('then')
      await succeed(
        main,
        await main.ask('createVolumeSnapshot', { parameters: at(volume), body: { name: 's1' } }),
      )
      live.close()
      await main.server.writeVolume(volume, 'now', 1000)
      const name = `stapes-files-${world.fresh('f').replace(/\D/g, '').padStart(24, '0')}`
      const { pool } = main.server
      const body = {
        ...{ name, type: 'custom', content_type: 'filesystem', description: '' },
        config: { 'user.stapes.exporting': 'sealed' },
        source: { type: 'copy', name: `${volume}/s1`, pool, project: 'default' },
      }
      await succeed(
        main,
        await main.ask('receiveVolume', { parameters: { pool }, query: { project: 'default' }, body }),
      )
      const sftp = await main.volumeFiles(name)
      expect(await textOf(sftp, '/marker')).toBe('then')
      expect((await main.ask('deleteVolume', { parameters: at(name) })).status).toBe(200)
      expect(await isThere(name)).toBe(false)
      sftp.close()
    })
  })
}
