/** The pages of docs/worst-night, run word for word on real servers, one night after the other. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { INCUSD } from '../lab/installed.ts'
import { type Pair, startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import type { LabServer } from '../lab/server.ts'
import { keysOf, type Night, openNight } from './night.ts'

onRealIncus('the worst night', () => nights(), [INCUSD])

const WEB = { name: 'web1' }
const OF_WEB = '/1.0/instances/web1'

type Seen = { config: Record<string, string>; status: string }

function nights(): void {
  describe('the worst night', { timeout: 120_000 }, () => {
    let night: Night
    let main: LabServer | null = null
    let backup: LabServer | null = null
    /** Servers that take the place of lost ones. */
    let others: Pair
    let snapshot = ''
    beforeAll(async () => {
      const [pair, second] = [await startPair(), await startPair()]
      ;[main, backup, others] = [pair.main, pair.backup, second]
      // With a system in it, so that it can be started later.
      await pair.main.createInstance({ ...WEB, running: true })
      await pair.main.setRunning(WEB, false)
      await pair.main.write(WEB, 'this morning', 0)
      night = await openNight(pair)
      await night.stapes('apply', '--yes')
      await night.until(async () => (await verified()).length > 0)
      snapshot = (await verified())[0] ?? ''
      return async () => {
        await night.close()
        await pair.close()
        await second.close()
      }
    }, 240_000)

    const on = (server: LabServer | null): LabServer => server as LabServer
    const seen = async (server: LabServer | null, name = 'web1'): Promise<Seen | null> =>
      (await on(server)
        .run('GET', `/1.0/instances/${name}`)
        .catch(() => null)) as Seen | null
    const verified = async (): Promise<string[]> =>
      ((await seen(backup))?.config['user.stapes.verified'] ?? '')
        .split(' ')
        .flatMap((one) => one.split('@')[0] || [])
    const names = async (): Promise<string[]> =>
      ((await on(main).run('GET', `${OF_WEB}/snapshots`)) as string[]).map(
        (url) => url.split('/').at(-1) ?? '',
      )
    const save = (name: string, printed: string): void =>
      writeFileSync(join(night.folder, name), printed, { mode: 0o600 })
    const read = (name: string): string => readFileSync(join(night.folder, name), 'utf8')

    test('1: one file is lost. It is found in a snapshot, and restored', async () => {
      await on(main).write(WEB, 'now', 0)
      const filled = { SNAPSHOT: snapshot, FILE: '/marker' }
      expect(await night.run('1-one-file', filled, 2)).toContain(snapshot)
      expect(read('found-file')).toBe('this morning')
      expect(await on(main).readMarker(WEB)).toBe('now')
      expect(await night.run('1-one-file', filled)).toContain('before-restore-')
      expect(await on(main).readMarker(WEB)).toBe('this morning')
    })

    test('2: one instance is broken. It is restored, and that is taken back', async () => {
      await on(main).write(WEB, 'broken', 0)
      const said = await night.run('2-one-instance', { SNAPSHOT: snapshot }, 3)
      expect(await on(main).readMarker(WEB)).toBe('this morning')
      const before = [...said.matchAll(/before-restore-\d{8}T\d{4}Z/g)].at(-1)?.[0] ?? ''
      await night.run('2-one-instance', { BEFORE: before })
      expect(await on(main).readMarker(WEB)).toBe('broken')
    })

    test('9: after an upgrade all goes on', async () => {
      await night.run('9-upgrade', {}, 1)
      await on(main).kill()
      await on(main).start()
      expect(await night.run('9-upgrade')).toMatch(/manual-\d{8}T\d{4}Z/)
      expect((await verified()).some((name) => name.startsWith('manual-'))).toBe(true)
    })

    test('7: somebody has a key. Each is turned, and backups go on', async () => {
      const [before, certificates] = [read('relay.jsonc'), await on(main).run('GET', '/1.0/certificates')]
      await night.run('7-stolen-key', {}, 2)
      await night.restartRelay()
      await night.restartWorker({ keepState: true })
      expect(await night.run('7-stolen-key', { OLD: 'worker' }, 1)).toContain('web1')
      await night.restartRelay()
      expect(await night.run('7-stolen-key')).toContain('restore web1')
      const secret = /"worker": "([^"]+)"/.exec(before)?.[1] ?? 'none'
      expect(read('relay.jsonc')).not.toContain(secret)
      expect(await on(main).run('GET', '/1.0/certificates')).not.toEqual(certificates)
    })

    test('6: KV is gone. The configuration is applied again, and no slot is taken twice', async () => {
      const before = await names()
      await night.restartWorker({ keepState: false })
      await night.run('6-cloudflare', {}, 1)
      expect(await names()).toEqual(expect.arrayContaining(before))
      expect((await names()).filter((name) => name.startsWith('daily-'))).toEqual(
        before.filter((name) => name.startsWith('daily-')),
      )
      const [id = '', secret = ''] = Object.entries(keysOf(read('relay.jsonc'))).at(-1) ?? []
      const more = [
        `RELAY_URL=${night.relayUrl()}`,
        `RELAY_KEY_ID=${id}`,
        `RELAY_KEY=${secret}`,
        'PORT=8797',
        '',
      ]
      save('.env', `${read('.env')}${more.join('\n')}`)
      expect(await night.run('6-cloudflare')).toContain('main/default/web1')
      await night.restartWorker({ keepState: true })
    })

    test('5: the relay’s machine is gone. Another one takes its place', async () => {
      for (const name of ['relay.jsonc', 'relay-journal.json', 'client-2.crt', 'client-2.key', 'secrets.env'])
        rmSync(join(night.folder, name), { force: true })
      for (const side of ['main', 'backup']) save(`${side}.token`, await night.run('5-relay', {}, 1))
      await night.run('5-relay', { MAIN_TOKEN: 'main.token', BACKUP_TOKEN: 'backup.token' }, 1)
      await night.restartRelay()
      await night.restartWorker({ keepState: true })
      const said = await night.run('5-relay')
      expect(said).toContain('main/default/web1')
      // From the first night.
      expect(said).toContain('incus delete stapes-files-')
    })

    test('3: the main server is gone. web1 runs from the backup server, then on a new one', async () => {
      await on(main).kill()
      expect(await night.run('3-main-server', {}, 1)).toContain(snapshot)
      await night.run('3-main-server', { SNAPSHOT: snapshot }, 1)
      expect((await seen(backup, 'web1-now'))?.status).toBe('Running')
      expect((await seen(backup))?.status).toBe('Stopped')
      main = others.main
      night.replace('main', main)
      save('main.token', await night.run('3-main-server', {}, 1))
      await night.run('3-main-server', { TOKEN_FILE: 'main.token' }, 1)
      await night.restartRelay()
      const kept = await verified()
      expect(await night.run('3-main-server')).toContain('web1')
      expect(await names()).toEqual(expect.arrayContaining(kept))
      expect((await seen(main))?.status).toBe('Running')
    })

    test('4: the backup server is gone. A new one gets first copies, and nothing on the source goes', async () => {
      const before = await names()
      await on(backup).kill()
      backup = others.backup
      night.replace('backup', backup)
      save('backup.token', await night.run('4-backup-server', {}, 1))
      await night.run('4-backup-server', { TOKEN_FILE: 'backup.token' }, 1)
      await night.restartRelay()
      await night.run('4-backup-server')
      expect(await names()).toEqual(expect.arrayContaining(before))
      expect(await verified()).toContain(snapshot)
    })

    test('8: ransomware. The last good generation is found on the backup server, held, and comes back', async () => {
      await on(main).setRunning(WEB, false)
      for (const name of await names()) await on(main).run('DELETE', `${OF_WEB}/snapshots/${name}`)
      await on(main).write(WEB, 'encrypted', 0)
      await night.stapes('now', 'web1')
      const kept = await verified()
      await expect(night.stapes('copy', 'web1', '--watch')).rejects.toThrow(/snapshot/)
      const filled = { SNAPSHOT: snapshot, FILE: '/marker' }
      await night.run('8-ransomware', filled)
      expect(read('look')).toBe('this morning')
      expect(await on(main).readMarker({ name: 'web1-clean' })).toBe('this morning')
      expect(await verified()).toEqual(kept)
      expect((await seen(backup))?.config).toHaveProperty([`user.stapes.hold.${snapshot}`])
    })

    test('no block of a page was left out', () => {
      expect(night.left()).toEqual({})
    })
  })
}
