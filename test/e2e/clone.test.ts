/** New instances from snapshots, here and from the backup server, and lost ones that come back, on real daemons. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { INCUSD, NEWER } from '../lab/installed.ts'
import type { Pair } from '../lab/pair.ts'
import { onRealIncus } from '../lab/real.ts'
import { backUp } from './backed-up.ts'
import type { Stage } from './stage.ts'
import type { Timeline } from './timeline.ts'

const NAME = 'e2e-clone'
const IT = `/1.0/instances/${NAME}`
const BYTES = 300_000
const SLOWLY = 150_000

const SETTINGS = {
  // Not started with its server, which would wait for it.
  'boot.autostart': 'false',
  'boot.autostart.priority': '7',
  'snapshots.schedule': '@yearly',
  'user.colour': 'blue',
  'user.stapes.hold.kept': 'for the auditor',
}
const NIC = { type: 'nic', nictype: 'p2p', hwaddr: '00:16:3e:00:00:01', host_name: 'e2eclone0' }

for (const [version, incusd] of [
  ['6.0', INCUSD],
  ['7.0', NEWER],
] as const)
  onRealIncus(`new instances from snapshots, on ${version}`, () => clonesEndToEnd(version, incusd), [incusd])

type Instance = {
  status: string
  created_at: string
  config: Record<string, string>
  devices: Record<string, Record<string, string>>
}
type Ran = { refusal: { reason: string } | null; results: { state: string }[]; problems: string[] }

function clonesEndToEnd(version: string, incusd: string): void {
  describe(`new instances from snapshots, on two real daemons of ${version}`, () => {
    let pair: Pair
    let stage: Stage
    let timeline: Timeline
    beforeAll(async () => {
      const prepare = ({ main }: Pair): Promise<unknown> =>
        main.run('PATCH', IT, { config: SETTINGS, devices: { eth0: NIC } })
      const begun = await backUp(incusd, [NAME], { bytes: BYTES, hours: 2, prepare })
      pair = begun.pair
      stage = begun.stage
      timeline = begun.timeline
      return () => stage.close()
    })

    const read = async (side: 'main' | 'backup', name: string): Promise<Instance> =>
      (await pair[side].run('GET', `/1.0/instances/${name}`)) as Instance
    const namesOn = async (side: 'main' | 'backup', name = NAME): Promise<string[]> =>
      ((await pair[side].run('GET', `/1.0/instances/${name}/snapshots?recursion=1`)) as { name: string }[])
        .map((one) => one.name)
        .sort()
    const ask = async (body: object): Promise<Ran> =>
      (await (
        await stage.worker.fetch('/api/run', { method: 'POST', body: JSON.stringify(body) })
      ).json()) as Ran
    /** Begun, and ticked until nothing of ours is left to do with it. */
    const make = async (name: string, body: object): Promise<Instance> => {
      expect(await ask(body)).toMatchObject({ refusal: null, results: [{ state: 'started' }] })
      return made(name)
    }
    const made = async (name: string, tick: () => Promise<unknown> = timeline.tick): Promise<Instance> => {
      for (let round = 0; round < 100; round++) {
        const one = await read('main', name).catch(() => null)
        if (one !== null && one.config['user.stapes.restoring-as'] === undefined) return one
        await sleep(300)
        await tick()
      }
      const plan = await stage.worker.fetch('/api/plan', { method: 'POST', body: '{}' })
      throw new Error(
        `${name} was not made: ${await plan.text()} ${JSON.stringify(await pair.backup.run('GET', '/1.0/operations?recursion=1'))}`,
      )
    }
    const snapshot = async (): Promise<string> => (await namesOn('backup')).at(-1) ?? ''

    test.for([
      ['here', {}],
      ['from the backup server', { from: 'backup' }],
    ] as const)('%s: with its settings, without addresses and marks', async ([where, from]) => {
      const as = `e2e-old-${where.length}`
      const name = await snapshot()
      const one = await make(as, { do: 'clone', instance: NAME, snapshot: name, as, ...from })
      const { 'user.stapes.hold.kept': _, ...settings } = SETTINGS
      expect(one).toMatchObject({ status: 'Stopped', config: settings })
      expect(one.devices.eth0).toEqual({ type: 'nic', nictype: 'p2p' })
      expect(Object.keys(one.config).filter((key) => key.startsWith('user.stapes.'))).toEqual([])
      expect(one.config['volatile.uuid']).not.toBe((await read('main', NAME)).config['volatile.uuid'])
      expect(await namesOn('main', as)).toEqual([])
      expect(await pair.main.readMarker({ name: as })).toBe(`data of ${name}`)
    })

    test('a file of it comes from the backup server, and nothing stays there', async () => {
      const name = await snapshot()
      const query = new URLSearchParams({ instance: NAME, snapshot: name, path: '/marker', from: 'backup' })
      const ask = () => stage.worker.fetch(`/api/files/content?${query}`)
      let response = await ask()
      for (let tries = 0; tries < 40 && response.status === 503; tries++) {
        await sleep(500)
        response = await ask()
      }
      expect([response.status, await response.text()]).toEqual([200, `data of ${name}`])
      const left = async () => JSON.stringify(await pair.backup.run('GET', '/1.0/instances'))
      expect(await left()).toContain('stapes-files-')
      await stage.relay.stop()
      expect(await left()).not.toContain('stapes-files-')
      await stage.relay.start()
    })

    test.for<[string, object, RegExp]>([
      ['a name that is taken', {}, /there is an instance main\/default\/e2e-clone already/],
      ['a pool that is not there', { as: 'other', pool: 'tank' }, /no pool "tank": name one/],
      [
        'a snapshot that is gone',
        { as: 'other', snapshot: 'hourly-20200101T0000Z' },
        /snapshot "hourly-20200101T0000Z"/,
      ],
      ['the backup server, where nothing allows it', { as: 'other', remote: 'backup' }, /set "receives"/],
    ])('is refused with %s, and nothing is begun', async ([, more, why]) => {
      const ran = await ask({ do: 'clone', instance: NAME, snapshot: await snapshot(), as: NAME, ...more })
      expect(ran).toMatchObject({ status: 422, detail: expect.stringMatching(why) })
      await expect(read('main', 'other')).rejects.toThrow()
    })

    test('a lost instance comes back with all that is verified, and its next copy refreshes the same one', async () => {
      const copy = (await read('backup', NAME)).config['volatile.uuid']
      const verified = (await namesOn('backup')).filter((name) => name.startsWith('hourly'))
      // As a transfer that nobody verified leaves it.
      const from = Math.floor(Date.now() / 1000)
      await pair.backup.run('PATCH', IT, { config: { 'user.stapes.copying': `unseen ${from}` } })
      await sleep(1100)
      await pair.backup.run('POST', `${IT}/snapshots`, { name: 'hourly-20260101T0000Z' })
      await pair.main.run('DELETE', IT)
      await timeline.tick()
      const back = await make(NAME, { do: 'bring-back', instance: NAME })
      expect(back).toMatchObject({ status: 'Stopped', config: SETTINGS, devices: { eth0: NIC } })
      expect(Object.keys(back.config).filter((key) => key.startsWith('user.stapes.'))).toEqual([
        'user.stapes.hold.kept',
      ])
      expect(await namesOn('main')).toEqual(verified)
      expect(await pair.main.readMarker({ name: NAME })).toBe(`data of ${verified.at(-1)}`)
      const slot = await timeline.strike()
      await timeline.settle()
      expect((await read('backup', NAME)).config['volatile.uuid']).toBe(copy)
      const after = await namesOn('backup')
      expect(after).toEqual(expect.arrayContaining([...verified.slice(1), slot]))
      expect(after).not.toContain('hourly-20260101T0000Z')
      expect((await read('backup', NAME)).config['user.stapes.verified']).toContain(slot)
    })

    test('a copy that is cancelled goes no further, and the next slot makes it', {
      timeout: 120_000,
    }, async () => {
      const before = await namesOn('backup')
      const verified = async (): Promise<string> =>
        (await read('backup', NAME)).config['user.stapes.verified'] ?? ''
      await pair.main.throttle(SLOWLY / 3)
      const cancelled = await timeline.strike()
      await timeline.untilCopying()
      const ran = await ask({ do: 'cancel', instance: NAME })
      await pair.main.throttle(null)
      expect(ran).toMatchObject({ refusal: null, results: [{ state: 'done' }] })
      for (let round = 0; round < 10; round++) {
        await sleep(300)
        await timeline.tick()
      }
      const { copies } = (await (await stage.worker.fetch('/api/status')).json()) as { copies: object }
      expect(JSON.stringify(copies)).toContain('it was cancelled')
      expect(await verified()).not.toContain(cancelled)
      for (const name of before.slice(1)) expect(await verified()).toContain(name)
      const next = await timeline.strike()
      await timeline.settle()
      expect(await verified()).toContain(next)
    })

    test('a server that is killed while it receives one: nothing half made stays, and it is made', {
      timeout: 120_000,
    }, async () => {
      await pair.backup.throttle(SLOWLY)
      const name = await snapshot()
      const as = 'e2e-killed'
      expect(await ask({ do: 'clone', instance: NAME, snapshot: name, as, from: 'backup' })).toMatchObject({
        refusal: null,
      })
      for (let round = 0; round < 50; round++) {
        if ((await read('main', as).catch(() => null)) !== null) break
        await sleep(50)
      }
      await sleep(300)
      await pair.main.kill()
      await pair.backup.throttle(null)
      await pair.main.start()
      expect(
        (await read('main', as).catch(() => null))?.config['user.stapes.restoring-as'] ?? ' making ~',
      ).toContain(' making ~')
      // Its tries are counted from the true time on.
      let minute = Date.now()
      await made(as, () => {
        minute += 60_000
        return stage.worker.tick(new Date(minute))
      })
      expect(await pair.main.readMarker({ name: as })).toBe(`data of ${name}`)
    })
  })
}
