/** With the printed scriptlets in force on both servers: what stapes does works, what it doesn't is refused. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { makeScriptlet } from '../../scripts/trust/print-scriptlet.ts'
import { type RelayFile, readRelayFile } from '../../scripts/trust/relay-file.ts'
import { atRemote } from '../../scripts/trust/remote.ts'
import { checkRights } from '../../scripts/trust/rights.ts'
import type { Extra } from '../../scripts/trust/scriptlet.ts'
import { ok } from '../../shared/result.ts'
import { INCUSD, NEWER } from '../lab/installed.ts'
import { type Pair, startPair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { realTheatre } from './real-theatre.ts'
import { nextSecond, openStage, type Stage } from './stage.ts'
import { furnish, KEPT, openTimeline, POLICY, type Timeline } from './timeline.ts'

const NAME = 'e2e-lesser'
const KEY = `main/default/${NAME}`
const IT = `/1.0/instances/${NAME}`
const VAULT = 'vault'
const BYTES = 200_000

for (const [version, incusd] of [
  ['6.0', INCUSD],
  ['7.0', NEWER],
] as const)
  onRealIncus(`the lesser right, on ${version}`, () => lesserRight(version, incusd), [incusd])

function lesserRight(version: string, incusd: string): void {
  describe(`the lesser right, on two real daemons of ${version}`, { timeout: 240_000 }, () => {
    let pair: Pair
    let stage: Stage
    let timeline: Timeline
    let file: RelayFile
    let store: string
    beforeAll(async () => {
      pair = await startPair({ daemons: { main: incusd, backup: incusd } })
      const folder = await mkdtemp(join(tmpdir(), 'stapes-lesser-'))
      store = await mkdtemp(join(folder, 'store-'))
      const exports = { nas: { type: 'directory' as const, path: store, recipients: [] } }
      stage = await openStage(async () => ({ ...realTheatre(pair), exports, files: true }))
      file = await relayFile(folder, pair)
      await furnish(stage, [NAME])
      timeline = openTimeline(stage, [NAME], BYTES)
      return async () => {
        await stage.close()
        await rm(folder, { recursive: true })
      }
    })

    const client = () => {
      const { cert: certificate, key } = pair.main.clients.trusted
      return { certificate, key }
    }
    /** As it is printed, and with the keys that are printed. */
    const enforce = async (
      remote: 'main' | 'backup',
      extras: Extra[] = [],
      projects = ['default'],
    ): Promise<void> => {
      const wanted = { do: 'scriptlet', remote, projects, extras: new Set(extras) } as const
      const made = await makeScriptlet(file, client(), wanted)
      if (!made.ok) throw new Error(made.error)
      const { scriptlet, keys } = made.value
      await pair[remote].run('PATCH', '/1.0', { config: { 'authorization.scriptlet': scriptlet } })
      for (const key of keys) await pair[remote].run('PATCH', '/1.0', { config: { [key]: 'scriptlet' } })
    }
    const statusOf = async (
      remote: string,
      ...call: ['GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', string, object?]
    ) => {
      const asked = await atRemote(file, remote, client(), async ({ ask }) => ok((await ask(...call)).status))
      if (!asked.ok) throw new Error(asked.error)
      return asked.value
    }
    const checked = async (remote: string): Promise<string> => {
      const found = await checkRights(file, client(), remote)
      if (!found.ok) throw new Error(found.error)
      return found.value.projects.flatMap(({ lines }) => lines).join('\n')
    }
    const post = async (path: string, body: object): Promise<{ digest: string; refusal: string | null }> => {
      const response = await stage.worker.fetch(path, { method: 'POST', body: JSON.stringify(body) })
      const answer: unknown = await response.json()
      if (!response.ok) throw new Error(JSON.stringify(answer))
      return answer as { digest: string; refusal: string | null }
    }
    const snapshotsOf = async (): Promise<string[]> =>
      ((await pair.main.run('GET', `${IT}/snapshots?recursion=1`)) as { name: string }[]).map(
        ({ name }) => name,
      )
    /** Nothing expires: what the target keeps for longer is tried elsewhere. */
    const applyCopies = (copy: object): Promise<void> => {
      const select = { remotes: ['main'], instances: [NAME] }
      return stage.apply({
        policies: { [POLICY]: { select, schedule: '0 * * * *', keep: { last: 50 }, copy } },
      })
    }
    const configOf = async () =>
      ((await pair.main.run('GET', IT)) as { config: Record<string, string> }).config

    test('before, the check says that nothing limits the relay, and nothing comes of asking', async () => {
      expect(await checked('main')).toContain('NO scriptlet is in force')
      expect(await pair.main.run('GET', '/1.0/instances')).toEqual([IT])
      expect(await pair.main.run('GET', '/1.0/profiles')).toEqual(['/1.0/profiles/default'])
    })

    type Found = { findings: { code: string; about: string | null; what: string }[]; fine: string[] }
    /** What the doctor finds, and that nothing came of what it has tried. */
    const examined = async (): Promise<Found> => {
      const state = async () =>
        Promise.all(
          [pair.main, pair.backup].map(async ({ run }) => [
            await run('GET', '/1.0/instances?recursion=2'),
            await run('GET', '/1.0/profiles?recursion=1'),
          ]),
        )
      const before = await state()
      const response = await stage.worker.fetch('/api/doctor')
      expect(await state()).toEqual(before)
      return (await response.json()) as Found
    }
    const aboutThese = ({ findings }: Found, codes: RegExp): string[] =>
      findings.filter(({ code }) => codes.test(code)).map(({ code, about }) => `${code} ${about}`)

    test('the doctor says so too, and that no way between the servers could be tried yet', async () => {
      await applyCopies({ remote: 'backup' })
      const found = await examined()
      expect(aboutThese(found, /^(rights|reach|remote)-/)).toEqual([
        'rights-wide main',
        'rights-wide backup',
        'reach-unknown backup > main',
      ])
      expect(found.fine).toEqual(
        expect.arrayContaining(['relay', 'clocks', 'certificates', 'pools', 'needs']),
      )
      expect(aboutThese(found, /^space-/)).toEqual(['space-ends main/default', 'space-ends nas'])
    })

    test('snapshots are taken and expire, and a copy is refused with the reason', async () => {
      await enforce('main')
      await enforce('backup')
      await stage.apply({
        policies: {
          [POLICY]: { select: { remotes: ['main'] }, schedule: '0 * * * *', keep: { last: KEPT } },
        },
      })
      for (let hour = 0; hour < KEPT + 2; hour++) await timeline.strike()
      expect((await snapshotsOf()).length).toBe(KEPT + 1)
      await applyCopies({ remote: 'backup' })
      await timeline.strike()
      const status = async () => (await stage.worker.fetch('/api/status')).text()
      for (let minute = 0; minute < 20 && !(await status()).includes('Permission denied'); minute++) {
        await sleep(200)
        await timeline.tick()
      }
      expect(await status()).toContain('Permission denied')
      expect(await checked('main')).toMatch(
        /^a scriptlet is in force.*\n {2}allowed: snapshots [^;]*\n {2}refused: edit/,
      )
    })

    test.for([
      ['a command', 'POST', `${IT}/exec`, { command: ['true'] }],
      ['a look into files', 'GET', `${IT}/files?path=/`, undefined],
      ['a console', 'POST', `${IT}/console`, {}],
      ['an export', 'POST', `${IT}/backups`, { name: 'x' }],
      ['its deletion', 'DELETE', IT, undefined],
      ['another device', 'PATCH', IT, { devices: { host: { type: 'disk', source: '/', path: '/host' } } }],
      ['a start', 'PUT', `${IT}/state`, { action: 'start' }],
      ['another instance', 'POST', '/1.0/instances', { name: 'x', source: { type: 'none' } }],
      ['a profile', 'POST', '/1.0/profiles', { name: 'x' }],
      ['another project', 'GET', `${IT}?project=fenced`, undefined],
      ['the server’s config', 'PATCH', '/1.0', { config: { 'authorization.scriptlet': '' } }],
      ['a certificate', 'POST', '/1.0/certificates', { type: 'client', name: 'x', token: true }],
    ] as const)('a source refuses to the relay: %s', async ([, method, path, body]) => {
      const before = await pair.main.run('GET', '/1.0/instances?recursion=1')
      expect(await statusOf('main', method, path, body)).toBe(403)
      expect(await pair.main.run('GET', '/1.0/instances?recursion=1')).toEqual(before)
    })

    test('snapshots of custom volumes are refused with the reason, and taken, dated and removed once they may be', async () => {
      const volumes = '/1.0/storage-pools/default/volumes/custom'
      await pair.main.run('POST', volumes, { name: 'data', type: 'custom' })
      const of = async () => {
        const rows = (await pair.main.run('GET', `${volumes}/data/snapshots?recursion=1`)) as {
          name: string
        }[]
        return rows.map(({ name }) => name.split('/')[1] ?? '')
      }
      const select = { remotes: ['main'], instances: [NAME], volumes: ['default:data'] }
      const keep = { keep: { last: 1 }, manual: { expiry: '30d' } }
      await stage.apply({ policies: { [POLICY]: { select, schedule: '0 * * * *', ...keep } } })
      await timeline.strike()
      expect(await of()).toEqual([])
      expect(await (await stage.worker.fetch('/api/status')).text()).toMatch(
        /default:data.{0,200}Permission denied/s,
      )
      await enforce('main', ['volumes'])
      for (let hour = 0; hour < 3; hour++) await timeline.strike()
      expect((await of()).length).toBe(2)
      const one = { instance: 'main/default/default:data', snapshot: (await of()).at(-1) }
      await post('/api/run', { do: 'hold', ...one, note: 'audit' })
      const config = async () => JSON.stringify(await pair.main.run('GET', `${volumes}/data`))
      expect(await config()).not.toContain('audit')
      expect(await statusOf('main', 'DELETE', `${volumes}/data`)).toBe(403)
      expect(await statusOf('main', 'PUT', `${volumes}/data`, { restore: one.snapshot })).toBe(403)
      await enforce('main', ['volumes', 'holds'])
      await post('/api/run', { do: 'hold', ...one, note: 'audit' })
      expect(await config()).toContain('audit')
      if (version === '7.0') {
        const of = new URLSearchParams({ ...one, snapshot: one.snapshot ?? '', path: '/' })
        const list = () => stage.worker.fetch(`/api/files?${of}`)
        expect((await list()).status).toBe(502)
        await enforce('main', ['volumes', 'files'])
        expect((await list()).status).toBe(200)
        await stage.relay.stop()
        await stage.relay.start()
        expect(await pair.main.run('GET', volumes)).toEqual([`${volumes}/data`])
      }
      expect(await statusOf('main', 'POST', `${volumes}/data/backups`, { name: 'b' })).toBe(403)
      await enforce('main', ['volumes', 'exports'])
      await nextSecond()
      await post('/api/run', { do: 'export', instance: 'default:data', to: 'nas' })
      const isMade = async () => {
        await timeline.tick()
        return (await readdir(store, { recursive: true })).filter((path) => path.endsWith('.json')).length
      }
      await expect.poll(isMade, { timeout: 30_000, interval: 200 }).toBe(1)
      await expect
        .poll(async () => JSON.stringify(await pair.main.run('GET', volumes)), { timeout: 20_000 })
        .not.toContain('stapes-export')
      await rm(join(store, 'main'), { recursive: true })
      await pair.main.run('DELETE', `${volumes}/data`)
      await enforce('main')
      await applyCopies({ remote: 'backup' })
    })

    test('commands of hooks may be run once they may be, and what they write be read and removed', async () => {
      const { exec, output } = {
        exec: ['POST', `${IT}/exec`, { command: ['true'], 'record-output': true }],
        output: `${IT}/logs/exec-output/exec_0b1c.stdout`,
      } as const
      await enforce('main', ['hooks'])
      // The instance doesn't run, and no command has written anything.
      expect(await statusOf('main', ...exec)).toBe(400)
      expect(await statusOf('main', 'GET', output)).toBe(404)
      expect(await statusOf('main', 'DELETE', output)).toBe(404)
      expect(await statusOf('main', 'POST', `${IT}/console`, {})).toBe(403)
      expect(await checked('main')).toMatch(/^a scriptlet is in force.*\n.*allowed:.*exec/)
      await enforce('main')
    })

    test('with the right to send copies, they land, are refreshed and verified', async () => {
      await enforce('main', ['copies', 'restore'])
      for (let hour = 0; hour < 2; hour++) {
        const name = await timeline.strike()
        await timeline.settle()
        expect(await pair.backup.readMarker({ name: NAME }, name)).toBe(`data of ${name}`)
      }
    })

    test.for(['pull', 'push'])(
      'the doctor finds what must be forbidden forbidden, and that the servers reach each other by %s',
      async (transferMode) => {
        await applyCopies({ remote: 'backup', transferMode })
        const found = await examined()
        expect(aboutThese(found, /^(rights|reach|remote|needs|profile|network)-/)).toEqual([])
        expect(found.fine).toEqual(expect.arrayContaining(['rights', 'reach', 'needs']))
        expect(aboutThese(found, /^space-/)).toContain('space-ends backup/default')
        await applyCopies({ remote: 'backup' })
      },
    )

    test('a snapshot is held, and a restore in place is done', async () => {
      const [snapshot = '', marker = ''] = [...timeline.expected()].at(-2) ?? []
      await post('/api/run', { do: 'hold', instance: NAME, snapshot, note: 'audit' })
      expect((await configOf())[`user.stapes.hold.${snapshot}`]).toContain('audit')
      await nextSecond()
      const wish = { do: 'restore', instance: KEY, snapshot }
      const { digest } = await post('/api/plan', wish)
      expect(await post('/api/run', { ...wish, confirm: digest })).toMatchObject({ refusal: null })
      for (
        let minute = 0;
        minute < 20 && (await configOf())['user.stapes.restored'] === undefined;
        minute++
      ) {
        await sleep(200)
        await timeline.tick()
      }
      expect((await configOf())['user.stapes.restored']).toMatch(/^before-restore-/)
      expect(await pair.main.readMarker({ name: NAME })).toBe(marker)
    })

    test('the disk alone is restored where the server can, and refused where it can’t', async () => {
      const wish = { do: 'restore', instance: KEY, snapshot: await timeline.strike(), diskOnly: true }
      if (version === '6.0') {
        await expect(post('/api/plan', wish)).rejects.toThrow('which Incus knows from 6.0.6 and 6.22 on')
        return
      }
      const { digest } = await post('/api/plan', wish)
      const [marker] = [...timeline.expected().values()].slice(-1)
      await pair.main.write({ name: NAME }, 'changed since', 1000)
      await pair.main.run('PATCH', IT, { config: { 'user.since': 'yes' } })
      const before = (await configOf())['user.stapes.restored']
      await nextSecond()
      expect(await post('/api/run', { ...wish, confirm: digest })).toMatchObject({ refusal: null })
      const isDone = async () => {
        const { restores } = (await (await stage.worker.fetch('/api/status')).json()) as {
          restores: Record<string, { state: string }>
        }
        return (await configOf())['user.stapes.restored'] !== before && restores[KEY]?.state === 'done'
      }
      for (let minute = 0; minute < 20 && !(await isDone()); minute++) {
        await sleep(200)
        await timeline.tick()
      }
      expect(await pair.main.readMarker({ name: NAME })).toBe(marker)
      expect(await configOf()).toMatchObject({ 'user.since': 'yes' })
      expect(await configOf()).not.toHaveProperty(['user.stapes.restoring'])
    })

    test('without the right to export nothing is; with it an export is made, and nothing of it stays', async () => {
      // While it is copied nothing is exported of it, and each refusal counts as a try.
      await timeline.settle()
      const before = await pair.main.run('GET', '/1.0/instances')
      const exports = async () => {
        const { exports: all } = (await (await stage.worker.fetch('/api/status')).json()) as {
          exports: Record<string, { state: string; reason?: string }>
        }
        return all[`${KEY}>nas`]
      }
      const exported = async () => {
        await post('/api/run', { do: 'export', instance: NAME, to: 'nas' })
        for (let minute = 0; minute < 20 && !/done|failed/.test((await exports())?.state ?? ''); minute++) {
          await sleep(200)
          await timeline.tick()
        }
        return exports()
      }
      expect(await exported()).toMatchObject({
        ...{ state: 'failed', attempts: 1 },
        reason: expect.stringContaining('what the relay'),
      })
      expect(await readdir(store)).not.toContain('main')
      await enforce('main', ['exports'])
      await nextSecond()
      expect(await exported()).toMatchObject({ state: 'done' })
      expect(await readdir(join(store, KEY))).toHaveLength(2)
      expect(await pair.main.run('GET', '/1.0/instances')).toEqual(before)
      expect(await checked('main')).toMatch(/\n.*allowed:.*edit.*exports.*create/)
    })

    test('without the right to files none is read or restored; with it they are, and nothing else may be done', async () => {
      const [snapshot = '', marker = ''] = [...timeline.expected()].at(-2) ?? []
      const before = await pair.main.run('GET', '/1.0/instances')
      const get = async (instance: string) => {
        const of = new URLSearchParams({ instance, snapshot, path: '/marker' })
        for (let tries = 0; tries < 20; tries++) {
          const response = await stage.worker.fetch(`/api/files/content?${of}`)
          if (response.status !== 503) return response
          await sleep(500)
        }
        throw new Error('it is never ready')
      }
      const put = async () => {
        const wish = { do: 'put', instance: KEY, snapshot, path: '/marker' }
        const { digest } = await post('/api/plan', wish)
        await post('/api/run', { ...wish, confirm: digest })
        for (let minute = 0; ; minute++) {
          const { puts } = (await (await stage.worker.fetch('/api/status')).json()) as {
            puts: Record<string, { state: string; reason?: string }>
          }
          const seen = puts[KEY]
          if (/done|failed/.test(seen?.state ?? '') || minute > 20) return seen
          await sleep(200)
          await timeline.tick()
        }
      }
      await enforce('main')
      const refused = await get(KEY)
      expect([refused.status, await refused.text()]).toEqual([502, expect.stringContaining('may do')])
      expect(await put()).toMatchObject({ state: 'failed', reason: expect.stringContaining('may do') })
      expect(await pair.main.run('GET', '/1.0/instances')).toEqual(before)
      await enforce('main', ['files'])
      expect(await (await get(KEY)).text()).toBe(marker)
      await nextSecond()
      expect(await put()).toMatchObject({ state: 'done' })
      expect(await pair.main.readMarker({ name: NAME })).toBe(marker)
      expect(await checked('main')).toMatch(/\n.*allowed:.*edit.*create.*sftp.*\n {2}refused: state/)
      for (const [method, path, body] of [
        ['POST', `${IT}/exec`, { command: ['true'] }],
        ['PUT', `${IT}/state`, { action: 'start' }],
        ['POST', `${IT}/backups`, { name: 'x' }],
        ['POST', '/1.0/storage-pools/default/volumes/custom', { name: 'x', type: 'custom' }],
      ] as const)
        expect([path, await statusOf('main', method, path, body)]).toEqual([path, 403])
      await stage.relay.stop()
      await stage.relay.start()
      expect(await pair.main.run('GET', '/1.0/instances')).toEqual(before)
    })

    /** Ticked until it is there, without our mark. */
    const made = async (name: string): Promise<void> => {
      const of = async () =>
        ((await pair.main.run('GET', `/1.0/instances/${name}`).catch(() => null)) as Named | null)?.config
      for (let minute = 0; minute < 30; minute++) {
        const config = await of()
        if (config !== undefined && config['user.stapes.restoring-as'] === undefined) return
        await sleep(200)
        await timeline.tick()
      }
      throw new Error(await (await stage.worker.fetch('/api/status')).text())
    }

    test('new instances are made from snapshots here and on the backup server, once they may be', async () => {
      const [snapshot = '', marker = ''] = [...timeline.expected()].at(-1) ?? []
      const wish = { do: 'clone', instance: KEY, snapshot, as: 'from-here' }
      await enforce('main', ['copies', 'restore'])
      const refused = await stage.worker.fetch('/api/run', { method: 'POST', body: JSON.stringify(wish) })
      expect(refused.status).toBe(200)
      for (let minute = 0; minute < 4; minute++) {
        await sleep(200)
        await timeline.tick()
      }
      expect(await (await stage.worker.fetch('/api/status')).text()).toContain('Permission denied')
      expect(await pair.main.run('GET', '/1.0/instances')).toEqual([IT])
      await enforce('main', ['copies', 'restore', 'clones'])
      await post('/api/run', wish)
      await made('from-here')
      await post('/api/run', { ...wish, as: 'from-there', from: 'backup' })
      await made('from-there')
      for (const name of ['from-here', 'from-there']) {
        expect(await pair.main.readMarker({ name })).toBe(marker)
        await pair.main.run('DELETE', `/1.0/instances/${name}`)
      }
    })

    test('and a lost instance comes back', async () => {
      const [, marker = ''] = [...timeline.expected()].at(-1) ?? []
      await pair.main.run('DELETE', IT)
      await timeline.tick()
      await post('/api/run', { do: 'bring-back', instance: KEY })
      await made(NAME)
      expect(await pair.main.readMarker({ name: NAME })).toBe(marker)
    })

    test('a target refuses to the relay what is not about copies', async () => {
      expect(await statusOf('backup', 'POST', `${IT}/exec`, { command: ['true'] })).toBe(403)
      expect(await statusOf('backup', 'PUT', `${IT}/state`, { action: 'start' })).toBe(403)
      expect(await statusOf('backup', 'POST', '/1.0/instances?project=fenced', {})).toBe(403)
      expect(await checked('backup')).toMatch(
        /^a scriptlet is in force.*\n.*allowed:.*edit.*create.*\n.*refused: state/,
      )
    })

    test('copies land in a restricted project of their own, where nothing that is created gets at the host', async () => {
      const config = { restricted: 'true', 'features.profiles': 'true' }
      await pair.backup.run('POST', '/1.0/projects', { name: VAULT, config })
      const root = { type: 'disk', path: '/', pool: pair.backup.pool }
      await pair.backup.run('PATCH', `/1.0/profiles/default?project=${VAULT}`, { devices: { root } })
      await enforce('backup', [], [VAULT])
      // Newer servers let a restricted project receive, but not fetch.
      await applyCopies({ remote: 'backup', project: VAULT, transferMode: 'push' })
      const name = await timeline.strike()
      await timeline.settle()
      expect(await pair.backup.readMarker({ project: VAULT, name: NAME }, name)).toBe(`data of ${name}`)
      for (const [what, more] of [
        ['raw', { config: { 'raw.lxc': 'lxc.hook.pre-start=/bin/true' } }],
        ['privileged', { config: { 'security.privileged': 'true' } }],
        ['disk', { devices: { host: { type: 'disk', source: '/', path: '/host' } } }],
      ] as const) {
        const body = { name: what, start: true, source: { type: 'none' }, ...more }
        // 6.0 answers 500 to what the project forbids.
        const status = await statusOf('backup', 'POST', `/1.0/instances?project=${VAULT}`, body)
        expect([what, status]).toEqual([what, status === 500 ? 500 : 403])
      }
      expect(await pair.backup.run('GET', `/1.0/instances?project=${VAULT}`)).toEqual([
        `${IT}?project=${VAULT}`,
      ])
    })

    test('without the right to buckets none is seen; with it one is exported, and with clones imported', async () => {
      if (incusd !== NEWER) return
      await timeline.settle()
      await pair.main.createBucket('pics', { cat: 'meow' })
      const { pool } = pair.main
      const of = `main/default/${pool}::pics`
      const to = { to: 'nas', schedule: '0 0 1 1 *' }
      const policy = { select: { remotes: ['main'], buckets: [`${pool}::*`] }, schedule: '0 * * * *' }
      const select = { remotes: ['main'], instances: [NAME] }
      await stage.apply({
        policies: {
          [POLICY]: { select, schedule: '0 * * * *', keep: { last: 50 } },
          objects: { ...policy, keep: { last: 50 }, export: to },
        },
      })
      const asked = async (wish: object) =>
        (
          await stage.worker.fetch('/api/run', {
            ...{ method: 'POST', body: JSON.stringify(wish) },
          })
        ).json()
      const ended = async (list: 'exports' | 'imports', key: string) => {
        for (let minute = 0; ; minute++) {
          const all = (await (await stage.worker.fetch('/api/status')).json()) as Record<
            typeof list,
            Record<string, { state: string }>
          >
          const seen = all[list]?.[key]
          if (/done|failed/.test(seen?.state ?? '') || minute > 20) return seen
          await sleep(200)
          await timeline.tick()
        }
      }
      await enforce('main', ['exports'])
      expect(JSON.stringify(await asked({ do: 'export', instance: of, to: 'nas' }))).toContain(
        '--with buckets',
      )
      await enforce('main', ['buckets'])
      await nextSecond()
      await asked({ do: 'export', instance: of, to: 'nas' })
      expect(await ended('exports', `${of}>nas`)).toMatchObject({ state: 'done' })
      await enforce('main', ['buckets', 'clones'])
      await asked({ do: 'import', instance: of, from: 'nas', as: 'old' })
      const names = async () => (await pair.main.run('GET', `/1.0/storage-pools/${pool}/buckets`)) as string[]
      for (let minute = 0; minute < 20 && (await names()).length < 2; minute++) {
        await sleep(200)
        await timeline.tick()
      }
      expect((await names()).map((path) => path.split('/').at(-1))).toEqual(['old', 'pics'])
      for (const name of ['old', 'pics'])
        expect(await statusOf('main', 'POST', `/1.0/storage-pools/${pool}/buckets`, { name })).not.toBe(200)
    })
  })
}

type Named = { config: Record<string, string> }

async function relayFile(folder: string, { main, backup }: Pair): Promise<RelayFile> {
  const remotes = {
    main: { url: main.url, fingerprint: main.fingerprint },
    backup: { url: backup.url, fingerprint: backup.fingerprint, role: 'target' },
  }
  await writeFile(join(folder, 'relay.jsonc'), JSON.stringify({ keys: {}, remotes }))
  const read = readRelayFile(join(folder, 'relay.jsonc'))
  if (!read.ok) throw new Error(read.error)
  return read.value
}
