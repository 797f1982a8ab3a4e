/** Exports end to end: asked for over the API, followed by ticks, and what is stored holds what the snapshot held. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { zstdDecompressSync } from 'node:zlib'
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { beforeAll, describe, expect, test } from 'vitest'
import { createExports } from '../../relay/export/exports.ts'
import { openIdentities } from '../../relay/export/identities.ts'
import type { StoreConfig } from '../../relay/export/stores-schema.ts'
import { openUnfinished } from '../../relay/export/unfinished.ts'
import { LOCKED, parseManifest } from '../../shared/work/export/manifest.ts'
import { filesEndToEnd } from './files.ts'
import { importsEndToEnd } from './imports.ts'
import { nextSecond, openStage, type Stage, type Theatre } from './stage.ts'
import { volumeExportsEndToEnd } from './volume-exports.ts'

export type ExportTheatre = Theatre & {
  /** Takes an archive back as an instance, and gives the marker that it then has. */
  takeBack(archive: Uint8Array): Promise<string | null>
  /** Names of all instances on main, and of the backups that it keeps. */
  left(): Promise<string[]>
  /** Takes it back on main, under the name that is in it, and gives that instance's config; `remove` ends that. */
  takeBackOnMain?(archive: Uint8Array): Promise<{ config: Record<string, string>; remove(): Promise<void> }>
  /** Config of an instance on main. */
  configOf(name: string): Promise<Record<string, string>>
  remove(name: string): Promise<void>
  /** Names of the custom volumes on main, and of their backups. */
  volumes(): Promise<string[]>
  /** Config of a custom volume on main. */
  volumeConfig(name: string): Promise<Record<string, string>>
  /** A bucket on a real server of S3, and how an independent client reads it. */
  bucket?: { store: StoreConfig; read(key: string): Promise<Uint8Array>; keys(): Promise<string[]> }
}

const NAME = 'e2e-export'
const MARKER = 'as it was at the snapshot'
const BYTES = 3_000_000

type Shown = { state: string; reason?: string; name: string; bytes?: number }

export function exportsEndToEnd(name: string, open: () => Promise<ExportTheatre>): void {
  describe(`exports from ${name}`, { timeout: 120_000 }, () => {
    let stage: Stage
    let theatre: ExportTheatre
    let root: string
    let vault: string
    let key: string
    let now = Date.now()
    beforeAll(async () => {
      const home = mkdtempSync(join(tmpdir(), 'stapes-e2e-exports-'))
      root = mkdtempSync(join(home, 'store-'))
      vault = mkdtempSync(join(home, 'vault-'))
      key = await generateX25519Identity()
      const recipients = [await identityToRecipient(key)]
      theatre = await open()
      const exports: Record<string, StoreConfig> = {
        nas: { type: 'directory', path: root, recipients: [] },
        vault: { type: 'directory', path: vault, recipients },
        ...(theatre.bucket === undefined ? {} : { r2: theatre.bucket.store }),
      }
      stage = await openStage(async () => ({
        ...theatre,
        exports,
        files: true,
        journalFile: join(home, 'journal.json'),
      }))
      await theatre.main.createInstance({
        name: NAME,
        config: { 'boot.autostart': 'true', 'user.stapes.hold.nothing': 'by a person' },
      })
      await theatre.main.write({ name: NAME }, MARKER, BYTES)
      const select = { remotes: ['main'], instances: [NAME] }
      await stage.apply({ policies: { hourly: { select, schedule: '0 * * * *', keep: { last: 5 } } } })
      expect(await stage.worker.tick(new Date(now))).toBe('ok')
      await theatre.main.write({ name: NAME }, 'as it became later', BYTES)
      return async () => {
        await stage.close()
        rmSync(home, { recursive: true })
      }
    })

    const run = async (body: object) => {
      const response = await stage.worker.fetch('/api/run', { method: 'POST', body: JSON.stringify(body) })
      return (await response.json()) as {
        refusal: { reason: string } | null
        results: { state: string; reason?: string }[]
      }
    }
    const shown = async (to: string): Promise<Shown> => {
      const status = (await (await stage.worker.fetch('/api/status')).json()) as {
        exports: Record<string, Shown>
      }
      return status.exports[`main/default/${NAME}>${to}`] ?? { state: 'none', name: '' }
    }
    const followed = async (to: string): Promise<Shown> => {
      for (let tries = 0; tries < 40; tries++) {
        await sleep(150)
        now += 60_000
        await stage.worker.tick(new Date(now))
        const seen = await shown(to)
        if (seen.state === 'done' || seen.state === 'failed') return seen
      }
      return shown(to)
    }
    const manifestOf = (text: string) => {
      const manifest = parseManifest(JSON.parse(text))
      if (manifest === null) throw new Error(`no manifest: ${text}`)
      return manifest
    }
    const exported = async (to: string): Promise<Shown> => {
      const asked = await run({ do: 'export', instance: NAME, to })
      expect(asked).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
      const seen = await followed(to)
      expect(seen).toMatchObject({ state: 'done' })
      expect(await theatre.left()).toEqual([NAME])
      return seen
    }
    const inFolder = (file: string, folder = root) => readFileSync(join(folder, 'main/default', NAME, file))

    test('into a directory, of the newest snapshot, whatever came since; it can be taken back', async () => {
      const { name: one, bytes } = await exported('nas')
      const manifest = manifestOf(inFolder(`${one}.json`).toString())
      expect(manifest).toMatchObject({
        ...{ instance: `main/default/${NAME}`, type: 'container', optimized: false },
        leftOut: { config: { 'boot.autostart': 'true', 'user.stapes.hold.nothing': 'by a person' } },
      })
      const held = inFolder(manifest.stored.file)
      expect([held.length, createHash('sha256').update(held).digest('hex')]).toEqual([
        bytes,
        manifest.stored.sha256,
      ])
      const archive = zstdDecompressSync(held)
      expect(createHash('sha256').update(archive).digest('hex')).toBe(manifest.archive.sha256)
      expect(await theatre.takeBack(archive)).toBe(MARKER)
    })

    test('for somebody’s key alone, where the configuration says so', async () => {
      const { name: one } = await exported('vault')
      const { stored, archive: told } = manifestOf(inFolder(`${one}.json`, vault).toString())
      const decrypter = new Decrypter()
      decrypter.addIdentity(key)
      const archive = zstdDecompressSync(await decrypter.decrypt(inFolder(stored.file, vault)))
      expect(createHash('sha256').update(archive).digest('hex')).toBe(told.sha256)
    })

    test('into a bucket of a real server of S3, where there is one', async () => {
      const { bucket } = theatre
      if (bucket === undefined) return
      const { name: one } = await exported('r2')
      const folder = `incus/main/default/${NAME}`
      const { stored, archive: told } = manifestOf(
        Buffer.from(await bucket.read(`${folder}/${one}.json`)).toString(),
      )
      expect(await bucket.keys()).toEqual([`${folder}/${stored.file}`, `${folder}/${one}.json`].sort())
      const archive = zstdDecompressSync(await bucket.read(`${folder}/${stored.file}`))
      expect(createHash('sha256').update(archive).digest('hex')).toBe(told.sha256)
    })

    test('are read again, and one that has changed is told', async () => {
      const checked = async () => {
        await nextSecond()
        expect(await run({ do: 'check', instance: NAME, to: 'nas' })).toMatchObject({ refusal: null })
        for (let tries = 0; tries < 20; tries++) {
          await sleep(150)
          now += 60_000
          await stage.worker.tick(new Date(now))
          const { checks } = (await (await stage.worker.fetch('/api/status')).json()) as {
            checks: Record<string, { state: string; reason?: string }>
          }
          const seen = checks[`main/default/${NAME}>nas`]
          if (seen?.state === 'done' || seen?.state === 'failed') return seen
        }
        return null
      }
      expect(await checked()).toMatchObject({ state: 'done' })
      const folder = join(root, 'main/default', NAME)
      const file = join(folder, readdirSync(folder).find((one) => one.endsWith('.zst')) ?? '')
      const bytes = readFileSync(file)
      writeFileSync(file, Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]))
      expect(await checked()).toMatchObject({ state: 'failed', reason: expect.stringContaining('SHA-256') })
      writeFileSync(file, bytes)
    })

    importsEndToEnd({
      run,
      theatre: () => theatre,
      key: () => key,
      folder: (store) => join(store === 'vault' ? vault : root, 'main/default', NAME),
      restart: async () => {
        await stage.relay.stop()
        await stage.relay.start()
      },
      tick: async () => {
        now += 60_000
        await stage.worker.tick(new Date(now))
        return (await stage.worker.fetch('/api/status')).json()
      },
      ...{ of: NAME, marker: MARKER },
    })

    filesEndToEnd({
      ...{ of: NAME, marker: MARKER, bytes: BYTES },
      stage: () => stage,
      left: () => theatre.left(),
      remove: (name) => theatre.remove(name),
      cover: (instances) =>
        stage.apply({
          policies: {
            hourly: { select: { remotes: ['main'], instances }, schedule: '0 * * * *', keep: { last: 5 } },
          },
        }),
      tick: async () => {
        now += 3_600_000
        await stage.worker.tick(new Date(now))
      },
    })

    test('are listed, with where they are', async () => {
      const response = await stage.worker.fetch(`/api/exports?instance=${NAME}`)
      const listed = (await response.json()) as { stores: { store: string; exports: object[] | null }[] }
      expect(listed.stores.map(({ store, exports }) => [store, exports?.length])).toEqual([
        ['nas', 1],
        ['vault', 1],
        ...(theatre.bucket === undefined ? [] : [['r2', 1]]),
      ])
      expect((await stage.worker.fetch('/api/exports?instance=none')).status).toBe(404)
    })

    test.each([
      ['to a store that there is not', { to: 'nowhere' }, 'it has nas, vault'],
      ['of a snapshot that there is not', { to: 'nas', snapshot: 'none' }, 'no snapshot'],
      ['of an instance that there is not', { to: 'nas', instance: 'none' }, 'there is no instance'],
    ])('%s is refused before anything is begun', async (_, body, reason) => {
      const refused = await run({ do: 'export', instance: NAME, ...body })
      expect(JSON.stringify(refused)).toContain(reason)
      expect(await theatre.left()).toEqual([NAME])
    })

    test('by a relay that is restarted meanwhile is made by its next try, once', async () => {
      const before = readdirSync(join(root, 'main/default', NAME)).length
      await nextSecond()
      const asked = await run({ do: 'export', instance: NAME, to: 'nas' })
      expect(asked).toMatchObject({ refusal: null })
      await stage.relay.stop()
      await stage.relay.start()
      expect(await followed('nas')).toMatchObject({ state: 'done' })
      expect(readdirSync(join(root, 'main/default', NAME)).length).toBe(before + 2)
      now += 60_000
      await stage.worker.tick(new Date(now))
      expect(await theatre.left()).toEqual([NAME])
    })

    test('and what is imported from one stays, also under the name that is in it', async () => {
      if (theatre.takeBackOnMain === undefined) return
      const folder = join(root, 'main/default', NAME)
      const file = readdirSync(folder).find((one) => one.endsWith('.zst')) ?? ''
      const { config, remove } = await theatre.takeBackOnMain(zstdDecompressSync(inFolder(file)))
      expect(config).not.toHaveProperty('user.stapes.exclude')
      const there = await theatre.left()
      expect(there).toHaveLength(2)
      for (let looks = 0; looks < 3; looks++) {
        now += 3_600_000
        await stage.worker.tick(new Date(now))
        await sleep(500)
      }
      expect(await theatre.left()).toEqual(there)
      await remove()
    })

    test('in a bucket go with file and manifest, and no other goes, by an independent client’s list', async () => {
      const { bucket } = theatre
      if (bucket === undefined) return
      const ref = { remote: 'main', project: 'default', instance: NAME }
      await nextSecond()
      const { name: one } = await exported('r2')
      const before = await bucket.keys()
      const log = (line: string): void => expect.fail(line)
      const known = { unfinished: openUnfinished(null, log), identities: openIdentities(null, log) }
      const exports = createExports({ r2: bucket.store }, known, log)
      try {
        // Nothing locks that bucket.
        await exports.checkLocks()
        expect(exports.about('r2')).toEqual({ deletes: { can: true } })
        expect(await bucket.keys()).toEqual(before)
        const found = await exports.survey('r2', ref)
        const manifest = found.ok
          ? found.value.exports.find((row) => row.manifest.name === one)?.manifest
          : undefined
        if (manifest === undefined) throw new Error(`it is not there: ${JSON.stringify(found)}`)
        expect(found).toMatchObject({ value: { strays: [] } })
        // What people say of one stands beside it, and the last of it counts.
        const other = found.ok ? found.value.exports.find((row) => row.manifest !== manifest)?.manifest : null
        if (other == null) throw new Error('it is alone')
        expect(await exports.note('r2', ref, other, { do: 'hold', text: 'audit' })).toMatchObject({
          ok: true,
        })
        const kept = await bucket.keys()
        expect(kept).toHaveLength(before.length + 1)
        const refused = { ok: false, error: { status: LOCKED } }
        expect(await exports.remove('r2', ref, other)).toMatchObject(refused)
        const removal = { do: 'remove', end: new Date().toISOString(), last: true } as const
        for (const note of [removal, { do: 'undo' } as const]) await exports.note('r2', ref, manifest, note)
        expect(await exports.remove('r2', ref, manifest, true)).toMatchObject(refused)
        await exports.note('r2', ref, manifest, removal)
        expect(await bucket.keys()).toHaveLength(kept.length + 3)
        const seen = await exports.survey('r2', ref)
        expect(seen.ok && seen.value.exports.map(({ said }) => [said?.held, said?.removal?.last])).toEqual([
          [null, true],
          ['audit', undefined],
        ])
        expect(await exports.remove('r2', ref, manifest, true)).toMatchObject({ ok: true })
        expect(await bucket.keys()).toEqual(kept.filter((key) => !key.includes(`/${one}.`)))
        expect(await exports.remove('r2', ref, manifest)).toMatchObject({ ok: true })
      } finally {
        await exports.close()
      }
    })

    test('by policy: the slot’s, once, of the newest snapshot', async () => {
      const manifests = () =>
        readdirSync(join(root, 'main/default', NAME)).filter((file) => file.endsWith('.json'))
      const before = manifests()
      const select = { remotes: ['main'], instances: [NAME] }
      const policy = { select, schedule: '0 * * * *', keep: { last: 5 } }
      await stage.apply({
        policies: { hourly: { ...policy, export: { to: 'nas', schedule: '30 * * * *' } } },
      })
      now += 3_600_000
      for (let tries = 0; tries < 60 && manifests().length === before.length; tries++) {
        now += 60_000
        await stage.worker.tick(new Date(now))
        await sleep(150)
      }
      const made = manifests().filter((file) => !before.includes(file))
      expect(made).toEqual([expect.stringMatching(/^\d{8}T\d\d3000Z\.json$/)])
      for (let minute = 0; minute < 5; minute++) {
        now += 60_000
        await stage.worker.tick(new Date(now))
      }
      expect(manifests()).toHaveLength(before.length + 1)
      // The manifest is there before what it was made from is gone.
      await expect.poll(() => theatre.left(), { timeout: 20_000 }).toEqual([NAME])
    })

    volumeExportsEndToEnd({
      run,
      theatre: () => theatre,
      key: () => key,
      root: (store) => (store === 'vault' ? vault : root),
      restart: async () => {
        await stage.relay.stop()
        await stage.relay.start()
      },
      apply: (policies) => stage.apply({ policies }),
      tick: async (minutes = 1) => {
        now += minutes * 60_000
        await stage.worker.tick(new Date(now))
        return (await (await stage.worker.fetch('/api/status')).json()) as object
      },
    })
  })
}
