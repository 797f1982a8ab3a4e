/** Snapshots: creating, naming, expiring, deleting, and what a change of the instance says. */

import { beforeAll, describe, expect, test } from 'vitest'
import {
  deleteSnapshot,
  exists,
  inProject,
  listSnapshots,
  patchSnapshot,
  readInstance,
  settle,
  snapshotNames,
  startDelete,
  startSnapshot,
  succeed,
  takeSnapshot,
} from './calls.ts'
import type { World } from './incus.ts'
import { NESTED, NEVER } from './model.ts'
import type { ContractInstance } from './server.ts'

const DUPLICATE = 'Failed creating instance snapshot record "s1": Add snapshot info to the database: '
const UNIQUE =
  'Failed to create "instances_snapshots" entry: UNIQUE constraint failed: instances_snapshots.instance_id, instances_snapshots.name'
const TAKEN = 'This "Instance_snapshot" entry already exists'

export function snapshotContract(world: World): void {
  describe('a snapshot', () => {
    let it: ContractInstance
    beforeAll(async () => {
      it = await world.createInstance('snapped')
      await takeSnapshot(world.main, it, 's1')
    })
    const expiryOf = async (name: string) =>
      (await listSnapshots(world.main, it)).find((snapshot) => snapshot.name === name)?.expires_at

    test('bears its bare name, the date of now, no expiry and no known size', async () => {
      const [first] = await listSnapshots(world.main, it)
      expect(first).toMatchObject({ name: 's1', expires_at: NEVER, stateful: false, size: -1 })
      expect(Math.abs(Date.parse(first?.created_at ?? '') - Date.now())).toBeLessThan(60_000)
    })

    test('whose name is taken is accepted, and fails in its operation', async () => {
      const started = await startSnapshot(world.main, it, 's1')
      expect(started.status).toBe(202)
      const err = `${DUPLICATE}${world.has(NESTED) ? TAKEN : UNIQUE}`
      expect(await settle(world.main, started)).toMatchObject({ status_code: 400, err })
    })

    test('that three ask for at once is made once', async () => {
      const started = await Promise.all([1, 2, 3].map(() => startSnapshot(world.main, it, 'race')))
      expect(started.map(({ status }) => status)).toEqual([202, 202, 202])
      const ended = await Promise.all(started.map((reply) => settle(world.main, reply)))
      const failed = ended.filter(({ status_code }) => status_code !== 200)
      expect(failed).toHaveLength(2)
      for (const { err } of failed) {
        expect(err).toMatch(
          /Instance is busy running a "create" operation$|UNIQUE constraint failed|already exists$/,
        )
      }
      expect((await snapshotNames(world.main, it)).filter((name) => name === 'race')).toHaveLength(1)
    })

    test('goes by DELETE, and is unknown after it', async () => {
      await takeSnapshot(world.main, it, 'gone')
      await deleteSnapshot(world.main, it, 'gone')
      expect(await snapshotNames(world.main, it)).not.toContain('gone')
      const again = await startDelete(world.main, it, 'gone')
      expect(again.status).toBe(404)
      expect(again.envelope.error).toMatch(/Instance snapshot not found|Instance_snapshot not found/)
    })

    test('gets another name that none has, and keeps its date and its end', async () => {
      await takeSnapshot(world.main, it, 'old-name', { expires_at: '2040-01-02T03:04:05Z' })
      const before = (await listSnapshots(world.main, it)).find(({ name }) => name === 'old-name')
      const rename = (name: string) =>
        world.main.ask('sendSnapshot', {
          parameters: { instance: it.name, snapshot: 'old-name' },
          ...{ query: inProject(it), body: { name } },
        })
      const taken = await rename('s1')
      expect([taken.status, taken.envelope.error]).toEqual([409, `Name '${it.name}/s1' already in use`])
      await succeed(world.main, await rename('new-name'))
      const after = (await listSnapshots(world.main, it)).find(({ name }) => name === 'new-name')
      expect([after?.created_at, after?.expires_at]).toEqual([before?.created_at, before?.expires_at])
      expect(await snapshotNames(world.main, it)).not.toContain('old-name')
    })

    test('of an unknown instance is refused at once', async () => {
      const reply = await startSnapshot(world.main, { name: 'nobody' }, 's1')
      expect(reply.status).toBe(404)
      expect(reply.envelope.error).toMatch(/Instance not found$/)
    })

    test('with state is refused without migration.stateful', async () => {
      const reply = await startSnapshot(world.main, it, 'stateful', { stateful: true })
      const ended = reply.status === 202 ? (await settle(world.main, reply)).err : reply.envelope.error
      expect(ended).toMatch(/migration\.stateful|not running/)
    })

    test.for(['/', '?', '&', '+'])('may not be called a%sb', async (sign) => {
      const reply = await startSnapshot(world.main, it, `a${sign}b`)
      expect(reply.status).toBe(400)
      const why = world.has(NESTED) ? 'Name contains invalid character' : 'Cannot contain'
      expect(reply.envelope.error).toBe(`Invalid snapshot name: ${why} "${sign}"`)
    })

    test('with a space in its name is refused, up to 6.0.5 only in its operation', async () => {
      const reply = await startSnapshot(world.main, it, 'a b')
      if (world.has(NESTED)) {
        const error = 'Invalid snapshot name: Name cannot contain white space'
        expect([reply.status, reply.envelope.error]).toEqual([400, error])
        return
      }
      const ended = await settle(world.main, reply)
      expect(ended.status_code).toBe(400)
      expect(ended.err).toMatch(/Cannot contain space or \/ characters/)
    })

    test('may have dots, dashes and underscores in its name', async () => {
      await takeSnapshot(world.main, it, 'daily-20261122T0300Z.x_y')
      expect(await snapshotNames(world.main, it)).toContain('daily-20261122T0300Z.x_y')
    })

    describe('with an expiry', () => {
      const date = '2040-01-02T03:04:05Z'

      test('takes it from the request', async () => {
        await takeSnapshot(world.main, it, 'dated', { expires_at: date })
        expect(await expiryOf('dated')).toBe(date)
      })

      test('given as null has none', async () => {
        await takeSnapshot(world.main, it, 'null', { expires_at: null })
        expect(await expiryOf('null')).toBe(NEVER)
      })

      test('takes it from snapshots.expiry when the request is silent', async () => {
        const source = await world.createInstance('expiring', { config: { 'snapshots.expiry': '7d' } })
        for (const [name, more] of Object.entries({ silent: {}, null: { expires_at: null } })) {
          await takeSnapshot(world.main, source, name, more)
        }
        await takeSnapshot(world.main, source, 'never', { expires_at: NEVER })
        const days = (await listSnapshots(world.main, source)).map(({ name, created_at, expires_at }) => [
          name,
          expires_at === NEVER
            ? null
            : Math.round((Date.parse(expires_at) - Date.parse(created_at)) / 86_400_000),
        ])
        expect(Object.fromEntries(days)).toEqual({ silent: 7, null: 7, never: null })
      })

      test('changes by PATCH, asynchronously, and is given back as it was written', async () => {
        await takeSnapshot(world.main, it, 'moved')
        const reply = await patchSnapshot(world.main, it, 'moved', {
          expires_at: '2040-01-02T05:04:05.25+02:00',
        })
        expect(reply.status).toBe(202)
        expect(await succeed(world.main, reply)).toMatchObject({ description: 'Updating snapshot' })
        expect(await expiryOf('moved')).toBe('2040-01-02T05:04:05.25+02:00')
      })

      test.for<[string, unknown]>([
        ['null', { expires_at: null }],
        ['nothing', {}],
      ])('keeps it when patched with %s, though that succeeds', async ([what, body]) => {
        const name = `kept-${what}`
        await takeSnapshot(world.main, it, name, { expires_at: date })
        await succeed(world.main, await patchSnapshot(world.main, it, name, body))
        expect(await expiryOf(name)).toBe(date)
      })

      test('loses it by the zero date alone', async () => {
        await takeSnapshot(world.main, it, 'cleared', { expires_at: date })
        await succeed(world.main, await patchSnapshot(world.main, it, 'cleared', { expires_at: NEVER }))
        expect(await expiryOf('cleared')).toBe(NEVER)
      })

      test('changes only while it is what was read, if the change says so', async () => {
        await takeSnapshot(world.main, it, 'matched', { expires_at: date })
        const parameters = { instance: it.name, snapshot: 'matched' }
        const change = async (tag: string, to: string) =>
          world.main.ask('patchSnapshot', {
            ...{ parameters, query: inProject(it), body: { expires_at: to } },
            headers: { 'if-match': tag },
          })
        const { headers } = await world.main.ask('getSnapshot', { parameters, query: inProject(it) })
        await succeed(world.main, await change(String(headers.etag), NEVER))
        expect(await expiryOf('matched')).toBe(NEVER)
        const stale = await change(String(headers.etag), date)
        expect([stale.status, stale.envelope.type]).toEqual([412, 'error'])
        expect(await expiryOf('matched')).toBe(NEVER)
      })

      test('that is no date is refused', async () => {
        const reply = await patchSnapshot(world.main, it, 's1', { expires_at: 'soon' })
        expect(reply.status).toBe(400)
        expect(reply.envelope.error).toMatch(/^parsing time "soon" as /)
      })
    })
  })

  describe('an instance', () => {
    test('gets a schedule by PATCH only while it is what was read, if the change says so', async () => {
      const it = await world.createInstance('scheduled')
      const parameters = { instance: it.name }
      const { headers } = await world.main.ask('getInstance', { parameters })
      const set = async (schedule: string) =>
        (
          await world.main.ask('markInstance', {
            ...{ parameters, body: { config: { 'snapshots.schedule': schedule } } },
            headers: { 'if-match': String(headers.etag) },
          })
        ).status
      expect([await set('@daily, 0 3 * * *'), await set('@never')]).toEqual([200, 412])
      expect((await readInstance(world.main, it)).config).toMatchObject({
        'snapshots.schedule': '@daily, 0 3 * * *',
      })
    })

    test('is marked by PATCH at once, and loses a mark by an empty one', async () => {
      const it = await world.createInstance('marked', { config: { 'user.other': 'stays' } })
      const parameters = { instance: it.name }
      const patch = (config: Record<string, string>) =>
        world.main.ask('markInstance', { parameters, body: { config } })
      const reply = await patch({ 'user.stapes.a': '1', 'user.stapes.b': '2' })
      expect([reply.status, reply.envelope.type]).toEqual([200, 'sync'])
      await patch({ 'user.stapes.a': '' })
      const { config } = await readInstance(world.main, it)
      expect(config).toMatchObject({ 'user.other': 'stays', 'user.stapes.b': '2' })
      expect(config).not.toHaveProperty(['user.stapes.a'])
    })

    test('goes by DELETE with its snapshots, but not while it runs', async () => {
      const it = { name: world.fresh('running') }
      await world.main.server.createInstance({ ...it, running: true })
      await takeSnapshot(world.main, it, 's1')
      const parameters = { instance: it.name }
      const refused = await world.main.ask('deleteInstance', { parameters })
      expect([refused.status, refused.envelope.error]).toEqual([400, 'Instance is running'])
      await world.main.server.setRunning(it, false)
      await succeed(world.main, await world.main.ask('deleteInstance', { parameters }))
      expect(await exists(world.main, it)).toBe(false)
      const unknown = await world.main.ask('deleteInstance', { parameters })
      expect(unknown.status).toBe(404)
      expect(unknown.envelope.error).toMatch(/Instance not found$/)
    })
  })
}
