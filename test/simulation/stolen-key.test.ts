/**
 * Who has stolen the signing key sends the relay whatever it accepts by its form. Afterwards Incus is looked at:
 * everything verified is still there with its data, and nothing was made that could reach a host.
 */
import { beforeEach, describe, expect, test } from 'vitest'
import { stepSchema } from '../../relay/step-schema.ts'
import type { ExportStep } from '../../shared/relay/export-steps.ts'
import type { Job } from '../../shared/relay/protocol.ts'
import type { CopyStep, RestoreStep, Step, VerifyStep } from '../../shared/relay/steps.ts'
import { parseVerified } from '../../shared/work/copy/marks.ts'
import { tear } from '../emulator/breakage.ts'
import { hasData, instanceOf, readMarker, seedInstance, write } from '../emulator/scene.ts'
import { seededRandom } from './random.ts'
import { restoreStep } from './restore-step.ts'
import { COVERED, DAY, HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import type { Remote } from './world.ts'

const START = new Date('2026-11-20T00:00:00Z')
const UNTIL = new Date('2026-11-22T06:00:00Z')
const WEEK = 7 * 86_400

let scene: Simulation
beforeEach(async () => {
  scene = await simulate({ ...usual(START, UNTIL), minRetention: WEEK })
  await scene.pass(UNTIL)
})

const ref = (remote: Remote, instance = 'web', project = 'default') => ({ remote, project, instance })
const on = (remote: Remote, name = 'web') => instanceOf(scene.world.incus[remote], { name })
const namesOn = (remote: Remote, name = 'web'): string[] => [...on(remote, name).snapshots.keys()]
const verifiedOf = (name = 'web'): [string, number][] =>
  parseVerified(on('backup', name).config['user.stapes.verified'])

let jobs = 0
/** Each step as a job of its own; what the relay's HTTP server would refuse isn't sent. */
async function attack(steps: readonly Step[], more: Partial<Job> = {}): Promise<string> {
  const sent = steps.filter((step) => stepSchema.safeParse(step).success)
  const relay = scene.world.places[0]?.relay
  const batch = sent.map((step) => ({ id: `attack ${++jobs}`, steps: [step], ...more }))
  const answered = await scene.world.clock.settle(
    relay?.batch(batch) ?? Promise.reject(new Error('no relay')),
  )
  return JSON.stringify([...answered.answers.values()])
}

const copyOf = (more: Partial<CopyStep> = {}): CopyStep => ({
  do: 'copy',
  source: ref('main'),
  target: ref('backup'),
  transferMode: 'pull',
  pool: null,
  member: null,
  first: false,
  startOver: false,
  unverified: [],
  transfer: { id: 'daily-20261122T0300Z#7', from: 1, names: [] },
  owner: on('backup').config['user.stapes.owner'] ?? '',
  listed: namesOn('backup'),
  unfinished: null,
  verified: [],
  lasting: [],
  mirrored: namesOn('backup'),
  excludeOlder: true,
  sourceServer: '',
  inconsistent: true,
  extended: {},
  ...more,
})

const restoreOf = (snapshot: string, more: Partial<RestoreStep> = {}): RestoreStep =>
  restoreStep({ ref: ref('main'), snapshot, ...more })

const verifyOf = (marks: [string, number][], more: Partial<VerifyStep> = {}): VerifyStep => ({
  ...{ do: 'verify', source: ref('main'), target: ref('backup'), marks, rest: [] },
  ...{ expiries: [], restore: [], protect: false, owner: on('backup').config['user.stapes.owner'] ?? '' },
  ...more,
})

const soon = (): string => new Date(scene.world.clock.now() + MINUTE).toISOString()
const inHours = (hours: number): string => new Date(scene.world.clock.now() + hours * HOUR).toISOString()
const wait = (ms: number): Promise<void> => scene.world.clock.advance(new Date(scene.world.clock.now() + ms))

/** Everything that was verified before, with its data, is verified now. */
function keepsAll(before: Map<string, [string, number][]>): void {
  for (const [name, pairs] of before) {
    expect(pairs.length).toBeGreaterThan(1)
    for (const [snapshot] of pairs) {
      expect(namesOn('backup', name), `${name} on the backup server`).toContain(snapshot)
      expect(hasData(scene.world.incus.backup, { name }, snapshot)).toBe(true)
      expect(
        on('backup', name).snapshots.get(snapshot)?.expires.ms ?? Number.POSITIVE_INFINITY,
      ).toBeGreaterThan(scene.world.clock.now() + DAY)
    }
    expect(verifiedOf(name)).toEqual(expect.arrayContaining(pairs))
  }
}

const verified = (): Map<string, [string, number][]> =>
  new Map(COVERED.map((name) => [name, verifiedOf(name)]))

describe('a stolen signing key loses no verified snapshot', () => {
  const attacks: [string, () => Promise<void>][] = [
    [
      'by removals',
      async () => {
        await attack(namesOn('backup').map((snapshot) => ({ do: 'expire', ref: ref('backup'), snapshot })))
      },
    ],
    [
      'by expiries that Incus executes',
      async () => {
        const steps = namesOn('backup').map(
          (snapshot): Step => ({ do: 'set-expiry', ref: ref('backup'), snapshot, expiresAt: soon() }),
        )
        await attack(steps)
        await wait(HOUR)
      },
    ],
    [
      'by marks that say nothing was verified, and removals then',
      async () => {
        await attack([verifyOf([])])
        await attack(namesOn('backup').map((snapshot) => ({ do: 'expire', ref: ref('backup'), snapshot })))
        await attack([copyOf({ first: true, startOver: true, transfer: { id: 'x', from: 0, names: [] } })])
      },
    ],
    [
      'by a verification that sets expiries',
      async () => {
        const expiries = namesOn('backup').map((snapshot) => ({ snapshot, expiresAt: soon() }))
        await attack([verifyOf(verifiedOf(), { rest: namesOn('backup'), expiries })])
        await wait(HOUR)
        await attack([copyOf({ unverified: namesOn('backup') })])
      },
    ],
    [
      'by a first copy in its place',
      async () => {
        for (const startOver of [true, false])
          await attack([copyOf({ first: true, startOver, transfer: { id: 'x', from: 0, names: [] } })])
      },
    ],
    [
      'by a refresh from another instance',
      async () => {
        await attack([copyOf({ source: ref('main', 'db') }), copyOf({ source: ref('main', 'stranger') })])
        await attack([copyOf({ source: ref('backup', 'db') })])
      },
    ],
    [
      'by a refresh after the source lost what can be removed there',
      async () => {
        for (let round = 0; round < 3; round += 1) {
          await attack(namesOn('main').map((snapshot) => ({ do: 'expire', ref: ref('main'), snapshot })))
          await attack([copyOf({ unverified: namesOn('backup') }), copyOf({ transferMode: 'push' })])
          await wait(DAY)
        }
      },
    ],
    [
      'by a refresh whose source has one on record that its pool has not',
      async () => {
        tear(on('main'), namesOn('main').at(-1) ?? '')
        await attack([copyOf(), copyOf({ transferMode: 'push' })])
      },
    ],
    [
      'by a mark of a transfer that would count all as its own',
      async () => {
        const transfer = { id: 'x 0', from: 0, names: namesOn('backup') }
        await attack([copyOf({ transfer }), copyOf({ transfer: { ...transfer, id: 'x' } })])
        await attack([copyOf({ unverified: namesOn('backup') })])
      },
    ],
    [
      'by restoring the copy',
      async () => {
        const [oldest = ''] = namesOn('backup')
        await attack([restoreOf(oldest, { ref: ref('backup') })], { detach: true })
        await wait(HOUR)
      },
    ],
    [
      'by taking one again',
      async () => {
        const steps = namesOn('backup').map(
          (snapshot): Step => ({
            ...{ do: 'take', ref: ref('backup'), snapshot, stateful: false, expiresAt: null, again: true },
          }),
        )
        await attack(steps)
      },
    ],
    [
      'nor one that a person made on the copy',
      async () => {
        const [first] = on('backup').snapshots.values()
        if (first === undefined) throw new Error('it has no snapshot')
        const mine = { ...first, name: 'daily-20261119T1200Z', second: first.second - 50_000 }
        on('backup')
          .snapshots.set(mine.name, mine)
          .set('mine', { ...mine, name: 'mine' })
        await attack(namesOn('backup').map((snapshot) => ({ do: 'expire', ref: ref('backup'), snapshot })))
        await attack([copyOf({ unverified: ['mine', mine.name] }), copyOf()])
        expect(namesOn('backup')).toEqual(expect.arrayContaining(['mine', mine.name]))
      },
    ],
    [
      'by holding nothing and starting the copy',
      async () => {
        await attack([
          { do: 'start', ref: ref('backup') },
          { do: 'end-restore', ref: ref('backup'), safeties: ['x'] },
          { do: 'thaw', ref: ref('backup') },
        ])
        expect(on('backup').status).toBe('Stopped')
      },
    ],
  ]
  test.each(attacks)('%s', async (_, run) => {
    const before = verified()
    await run()
    await wait(MINUTE)
    keepsAll(before)
  })

  const all = [1, 2, 3, 4, 5, 6, 7, 8]
  const losses: [string, (snapshot: string) => Promise<unknown>, number[]][] = [
    ['is removed', (snapshot) => attack([{ do: 'expire', ref: ref('main'), snapshot }]), all],
    [
      'expires',
      (snapshot) => attack([{ do: 'set-expiry', ref: ref('main'), snapshot, expiresAt: soon() }]),
      all,
    ],
    // Later the relay has seen it there for the last time: docs/security.md, "What is left".
    ['is removed by a person', (snapshot) => removeByHand(snapshot), [1, 2, 3, 4, 5, 6]],
  ]
  const removeByHand = (snapshot: string): Promise<unknown> => {
    const path = `/1.0/instances/web/snapshots/${snapshot}`
    return scene.world.clock.settle(scene.world.incus.main.handle({ method: 'DELETE', path }))
  }
  test.each(losses.flatMap(([how, lose, moments]) => moments.map((at) => [how, at, lose] as const)))(
    'by a refresh, though what the source has %s at its request %i',
    async (_, at, lose) => {
      const before = verified()
      const oldest = verifiedOf().find(([name]) => name.startsWith('hourly-2'))?.[0] ?? ''
      expect(namesOn('main')).toContain(oldest)
      let requests = 0
      let lost: Promise<unknown> | null = null
      scene.world.incus.main.faults = () => {
        requests += 1
        if (requests === at) lost = lose(oldest)
        return null
      }
      await attack([copyOf()])
      await wait(5 * MINUTE)
      expect(lost).not.toBeNull()
      await lost
      keepsAll(before)
    },
  )

  test('nor the newest after `minRetention`, by marks of newer ones that are not there or were not sent', async () => {
    await wait((WEEK + 86_400) * 1000)
    const [newest = ''] = verifiedOf().at(-1) ?? []
    const seconds = Math.floor(scene.world.clock.now() / 1000)
    const forged: [string, number][] = [['daily-20261128T0300Z', seconds - 9000]]
    await attack([{ ...verifyOf(forged), expiries: [{ snapshot: newest, expiresAt: soon() }] }])
    await attack([
      copyOf({ verified: forged, transfer: { id: 'x', from: 1, names: ['daily-20261128T0300Z'] } }),
    ])
    await attack([verifyOf([...verifiedOf(), ...forged])])
    const [made] = on('backup').snapshots.values()
    if (made === undefined) throw new Error('it has no snapshot')
    on('backup').snapshots.set('by-hand', { ...made, name: 'by-hand', second: seconds })
    await attack([verifyOf([...verifiedOf(), ['by-hand', seconds]])])
    expect(verifiedOf().at(-1)?.[0]).toBe(newest)
    await attack(namesOn('backup').map((snapshot) => ({ do: 'expire', ref: ref('backup'), snapshot })))
    await attack([{ do: 'set-expiry', ref: ref('backup'), snapshot: newest, expiresAt: soon() }])
    await attack([copyOf({ unverified: namesOn('backup') })])
    await wait(HOUR)
    expect(namesOn('backup')).toContain(newest)
    expect(hasData(scene.world.incus.backup, { name: 'web' }, newest)).toBe(true)
  })
})

describe('a stolen signing key does little to a source', () => {
  test('half of its snapshots stay within a day, whatever is removed, taken again or let expire', async () => {
    const before = namesOn('main')
    expect(before.length).toBeGreaterThan(5)
    const each = (step: (snapshot: string) => Step): Promise<string> => attack(before.map(step))
    await each((snapshot) => ({ do: 'set-expiry', ref: ref('main'), snapshot, expiresAt: soon() }))
    await each((snapshot) => ({ do: 'expire', ref: ref('main'), snapshot }))
    await each((snapshot) => ({
      ...{ do: 'take', ref: ref('main'), snapshot, stateful: false, expiresAt: soon(), again: true },
    }))
    for (let round = 0; round < 6; round += 1) {
      await wait(HOUR)
      await each((snapshot) => ({ do: 'expire', ref: ref('main'), snapshot }))
    }
    // The last one was taken after the last look of the relay.
    expect(before.filter((name) => namesOn('main').includes(name)).length).toBeGreaterThanOrEqual(
      Math.floor((before.length - 1) / 2),
    )
  })

  test('expiries that are far away count as well, and over a restart of the relay', async () => {
    const before = namesOn('main')
    const expireAll = (): Promise<string> => {
      const expiresAt = new Date(scene.world.clock.now() + 26 * HOUR).toISOString()
      return attack(before.map((snapshot) => ({ do: 'set-expiry', ref: ref('main'), snapshot, expiresAt })))
    }
    await expireAll()
    scene.world.relay.restart()
    await expireAll()
    const lasting = [...on('main').snapshots.values()].filter(({ expires }) => expires.ms === null)
    expect(lasting.length).toBeGreaterThanOrEqual(Math.floor((before.length - 1) / 2))
  })

  const listAll = () =>
    scene.world.clock.settle(
      scene.world.places[0]?.relay.inventory({ remotes: ['main'], config: [] }) ??
        Promise.reject(new Error('no relay')),
    )

  /** Each round lets as many end soon as the relay allows, and goes on after a while. */
  async function endThem(names: readonly string[], between: (ended: readonly string[]) => Promise<void>) {
    for (let round = 0; round < 4; round += 1) {
      for (const snapshot of names.filter((name) => namesOn('main').includes(name)))
        await attack([{ do: 'expire-later', ref: ref('main'), snapshot, expiresAt: soon() }])
      await between(names)
      await wait(30 * MINUTE)
      await listAll()
    }
    // Whatever was made later ends as early as that may be.
    for (const snapshot of names)
      await attack([{ do: 'set-expiry', ref: ref('main'), snapshot, expiresAt: soon() }])
    await wait(HOUR)
  }
  const keepsHalf = (before: readonly string[]): void =>
    expect(before.filter((name) => namesOn('main').includes(name)).length).toBeGreaterThanOrEqual(
      Math.floor((before.length - 1) / 2),
    )

  test.each<[string, (snapshot: string) => Step[]]>([
    [
      'by a later expiry',
      (snapshot) => [{ do: 'set-expiry', ref: ref('main'), snapshot, expiresAt: inHours(3) }],
    ],
    ['as a copy does', (snapshot) => [{ do: 'postpone', ref: ref('main'), snapshot, expiresAt: inHours(3) }]],
    [
      'and asks for it again',
      (snapshot) => [
        { do: 'postpone', ref: ref('main'), snapshot, expiresAt: inHours(3) },
        { do: 'expire-later', ref: ref('main'), snapshot, expiresAt: inHours(2) },
        { do: 'postpone', ref: ref('main'), snapshot, expiresAt: inHours(3) },
      ],
    ],
  ])('nor do more go because it postpones what ends, %s', async (_, steps) => {
    const before = namesOn('main')
    await endThem(before, async (names) => {
      for (const snapshot of names) await attack(steps(snapshot))
    })
    keepsHalf(before)
  })

  test.each([20, 90])('nor because its clock is %i minutes off', async (minutes) => {
    const before = namesOn('main')
    scene.world.incus.main.skewMs = -minutes * MINUTE
    await endThem(before, async () => {})
    await wait(2 * HOUR)
    keepsHalf(before)
  })

  test('a held snapshot gets no earlier expiry, not even the one that it had', async () => {
    const [oldest = ''] = namesOn('main')
    const snapshot = on('main').snapshots.get(oldest)
    if (snapshot === undefined) throw new Error('it is gone')
    const ends = scene.world.clock.now() + 2 * DAY
    const set = (ms: number): Promise<string> => {
      const expiresAt = new Date(ms).toISOString()
      return attack([{ do: 'set-expiry', ref: ref('main'), snapshot: oldest, expiresAt }])
    }
    snapshot.expires = { text: new Date(ends).toISOString(), ms: ends }
    await set(ends + DAY)
    expect(snapshot.expires.ms).toBe(ends + DAY)
    on('main').config[`user.stapes.hold.${oldest}`] = 'audit'
    await wait(10 * MINUTE)
    await set(ends)
    expect(snapshot.expires.ms).toBe(ends + DAY)
  })

  test('what it holds is not removed, nor lost by a restore', async () => {
    const [oldest = ''] = namesOn('main')
    on('main').config[`user.stapes.hold.${oldest}`] = 'audit'
    await scene.tick(new Date(scene.world.clock.now() + MINUTE))
    await attack([{ do: 'expire', ref: ref('main'), snapshot: oldest }])
    await attack([restoreOf(oldest)], { detach: true })
    await wait(HOUR)
    expect(namesOn('main')).toContain(oldest)
    expect(on('main').config).toHaveProperty([`user.stapes.hold.${oldest}`], 'audit')
  })

  test('a refresh, a first copy or a restore over it is refused', async () => {
    const before = readMarker(scene.world.incus.main, { name: 'web' })
    const swapped = { source: ref('backup'), target: ref('main') }
    await attack([
      copyOf(swapped),
      copyOf({ ...swapped, first: true, transfer: { id: 'x', from: 0, names: [] } }),
      copyOf({ ...swapped, first: true, startOver: true, transfer: { id: 'x', from: 0, names: [] } }),
      copyOf({ target: ref('main', 'db') }),
    ])
    expect(readMarker(scene.world.incus.main, { name: 'web' })).toBe(before)
    expect(hasData(scene.world.incus.main, { name: 'db' })).toBe(true)
  })

  test('a restore without the state before is refused, by an old or forged safety snapshot alike', async () => {
    const [oldest = ''] = namesOn('main')
    write(on('main'), 'of today', 5)
    const taken = (name: string) => ({ name, expiresAt: null, taken: true })
    await attack([
      {
        do: 'take',
        ref: ref('main'),
        snapshot: 'before-restore-20261122T0559Z',
        stateful: false,
        expiresAt: null,
      },
      restoreOf(oldest, { safety: taken('before-restore-20261122T0559Z') }),
      restoreOf(oldest, { safety: taken(oldest) }),
      restoreOf(oldest, { safety: { name: oldest, expiresAt: null, taken: false } }),
      restoreOf(oldest, { partial: namesOn('main').at(-1) ?? '' }),
      restoreOf(oldest, {
        safety: { name: 'before-restore-20261122T0600Z', expiresAt: soon(), taken: false },
      }),
    ])
    await wait(HOUR)
    expect(readMarker(scene.world.incus.main, { name: 'web' })).toBe('of today')
    expect(namesOn('main')).toContain(oldest)
  })

  test('after a restore the state before can be had back, and is not removed for a day', async () => {
    const [oldest = ''] = namesOn('main')
    write(on('main'), 'of today', 5)
    await attack([restoreOf(oldest)], { detach: true })
    await wait(HOUR)
    const safety = 'before-restore-20261122T0600Z'
    await attack([
      { do: 'expire', ref: ref('main'), snapshot: safety },
      { do: 'set-expiry', ref: ref('main'), snapshot: safety, expiresAt: soon() },
    ])
    await wait(HOUR)
    expect(readMarker(scene.world.incus.main, { name: 'web' }, safety)).toBe('of today')
  })

  test('what stapes did not take is not removed', async () => {
    const [first] = on('main').snapshots.values()
    if (first === undefined) throw new Error('it has no snapshot')
    on('main').snapshots.set('by-hand', { ...first, name: 'by-hand' })
    await attack([{ do: 'expire', ref: ref('main'), snapshot: 'by-hand' }])
    expect(namesOn('main')).toContain('by-hand')
  })
})

describe('a stolen signing key makes nothing', () => {
  test('that reaches a host: a new copy has neither hooks nor privileges nor devices of the host', async () => {
    const evil = seedInstance(scene.world.incus.main, {
      name: 'evil',
      config: { 'raw.lxc': 'lxc.hook.pre-start=/bin/sh', 'security.privileged': 'true' },
    })
    evil.devices.host = { type: 'disk', source: '/', path: '/mnt' }
    await attack(
      [
        copyOf({
          ...{ source: ref('main', 'evil'), target: ref('backup', 'evil'), first: true },
          transfer: { id: 'x', from: 0, names: [] },
        }),
      ],
      { detach: true },
    )
    await wait(HOUR)
    expect(on('backup', 'evil').config).not.toHaveProperty('raw.lxc')
    expect(on('backup', 'evil').config).not.toHaveProperty('security.privileged')
    expect(Object.keys(on('backup', 'evil').devices)).not.toContain('host')
    await attack([{ do: 'start', ref: ref('backup', 'evil') }])
    expect(on('backup', 'evil').status).toBe('Stopped')
  })
})

describe('a stolen signing key exports to the configured stores, and no more', () => {
  const NAME = '20261122T060000Z'
  const exportOf = (more: Partial<ExportStep> = {}): ExportStep => ({
    ...{ do: 'export', ref: ref('main'), snapshot: namesOn('main').at(-1) ?? '' },
    ...{ store: 'nas', name: NAME, optimized: false },
    ...more,
  })
  const made = (): string[] => [...scene.world.stores.made.keys()]
  const held = (): string =>
    JSON.stringify([...scene.world.stores.made.values()].map(({ manifest }) => manifest))

  test('to no other place, by no name that is a path', async () => {
    const names = ['../../etc', 'a/b', '.', '', '20261122T060000Z/../x', 'x'.repeat(400)]
    const steps = names.flatMap((name) => [exportOf({ store: name }), exportOf({ name })])
    await attack([...steps, exportOf({ store: 'elsewhere' })])
    await wait(HOUR)
    expect(made()).toEqual([])
    const fields = { path: '/etc', endpoint: 'https://example.org', recipients: ['age1x'], bucket: 'b' }
    for (const [field, value] of Object.entries(fields))
      expect(stepSchema.safeParse({ ...exportOf(), [field]: value }).success).toBe(false)
  })

  test('of nothing on the backup server, and of no copy', async () => {
    const before = [...(scene.world.incus.backup.state.projects.get('default')?.instances.keys() ?? [])]
    await attack([exportOf({ ref: ref('backup'), snapshot: namesOn('backup').at(-1) ?? '' })])
    await wait(HOUR)
    expect(made()).toEqual([])
    expect([...(scene.world.incus.backup.state.projects.get('default')?.instances.keys() ?? [])]).toEqual(
      before,
    )
  })

  test('over none that is there: it stays as it was', async () => {
    await attack([exportOf()])
    await wait(HOUR)
    expect(made()).toHaveLength(1)
    const before = held()
    await attack([exportOf({ snapshot: namesOn('main')[0] ?? '' }), exportOf()])
    await wait(HOUR)
    expect(held()).toBe(before)
  })

  test('and is told names, sizes and hashes of them, and nothing that they hold', async () => {
    on('main').config['user.stapes.daily'] = 'a secret of its owner'
    await attack([exportOf()])
    await wait(HOUR)
    expect(made()).toHaveLength(1)
    const [store, name] = ['nas', NAME]
    const told = await attack([
      { do: 'read-exports', ref: ref('main'), store: null, name: null },
      { do: 'check-export', ref: ref('main'), store, name },
    ])
    expect(told).toContain(NAME)
    for (const hidden of ['leftOut', 'recipients', 'file', 'a secret']) expect(told).not.toContain(hidden)
  })

  describe('and removes none of them', () => {
    const OWNER = '1.nonce.key'
    const nameOf = (at: number): string => new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')
    const removalOf = (name: string, more: object = {}): Step => ({
      ...{ do: 'expire-export', ref: ref('main'), store: 'nas', name, policy: 'daily', owner: OWNER },
      ...more,
    })
    /** As many as days, each a day older than the one before. */
    const seeded = async (days: number): Promise<string[]> => {
      await attack([exportOf({ policy: 'daily', owner: OWNER })])
      await wait(HOUR)
      const { stores, clock } = scene.world
      const [first] = stores.made.values()
      if (first === undefined) throw new Error('it was not exported')
      stores.made.clear()
      return Array.from({ length: days }, (_, day) => {
        const at = clock.now() - day * DAY
        const [name, date] = [nameOf(at), new Date(at).toISOString()]
        const createdAt = day === 0 ? first.manifest.snapshot.createdAt : date
        const manifest = { ...first.manifest, name, madeAt: date, snapshot: { name: 's', createdAt } }
        on('main').createdAt = new Date(clock.now() - 365 * DAY).toISOString()
        stores.made.set(`nas main/default/web ${name}`, { ...first, manifest })
        return name
      })
    }

    test('that is the newest, too young, on request, or of somebody else', async () => {
      const names = await seeded(9)
      const [newest = ''] = names
      scene.world.stores.minRetention = WEEK
      const foreign = { policy: 'hourly' }
      const others = [{ owner: '2.other.elsewhere' }, { owner: 'x' }, foreign, { ref: ref('main', 'db') }]
      const steps = names.flatMap((name) => others.map((other) => removalOf(name, other)))
      await attack([...steps, ...names.slice(0, 7).map((name) => removalOf(name))])
      expect(made()).toHaveLength(9)
      scene.world.stores.minRetention = 0
      await attack([removalOf(newest), removalOf(newest)])
      expect(made()).toHaveLength(9)
      const [key = ''] = made()
      const one = scene.world.stores.made.get(key)
      if (one === undefined) throw new Error('it is gone')
      for (const [at, { manifest, ...rest }] of scene.world.stores.made) {
        const { policy: _, ...bare } = manifest
        scene.world.stores.made.set(at, { ...rest, manifest: bare })
      }
      await attack(names.map((name) => removalOf(name)))
      expect(made()).toHaveLength(9)
    })

    test('but half of the old ones within a day, also where it asks for all at once', async () => {
      const names = await seeded(9)
      scene.world.stores.minRetention = 0
      await attack([...names, ...names].map((name) => removalOf(name)))
      await attack(names.map((name) => removalOf(name)))
      for (const name of names) await attack([removalOf(name)])
      // Eight of them are older than a day, and the newest isn't.
      expect(made()).toHaveLength(5)
      scene.world.relay.kill()
      for (const name of names) await attack([removalOf(name)])
      expect(made()).toHaveLength(5)
    })

    test('whose instance is gone, or was made since', async () => {
      const names = await seeded(4)
      scene.world.stores.minRetention = 0
      on('main').createdAt = new Date(scene.world.clock.now()).toISOString()
      await attack(names.map((name) => removalOf(name)))
      scene.world.incus.main.state.projects.get('default')?.instances.delete('web')
      await attack(names.map((name) => removalOf(name)))
      expect(made()).toHaveLength(4)
    })

    test('that is held, by its snapshot or in its store', async () => {
      const names = await seeded(3)
      scene.world.stores.minRetention = 0
      on('main').config['user.stapes.hold.s'] = 'by a person'
      await attack(names.map((name) => removalOf(name)))
      delete on('main').config['user.stapes.hold.s']
      for (const key of made()) scene.world.stores.held.add(key)
      await attack(names.map((name) => removalOf(name)))
      expect(made()).toHaveLength(3)
    })
  })

  test('and deletes no instance that calls itself one made for an export', async () => {
    const { main } = scene.world.incus
    const name = `stapes-export-${'a'.repeat(24)}`
    const config = {
      'user.stapes.exporting': `${NAME} s0 ~AAAAAAAAAAAAAAAAAAAAAA`,
      'user.stapes.exclude': 'true',
    }
    seedInstance(main, { name, config })
    await attack([exportOf({ ref: ref('main', name), snapshot: 's0' })])
    await scene.world.tick(new Date(scene.world.clock.now() + MINUTE))
    await wait(MINUTE)
    expect(main.state.projects.get('default')?.instances.has(name)).toBe(true)
  })
})

describe('a stolen signing key reads nothing', () => {
  test('of an instance’s config but the keys of stapes', async () => {
    const secret = 'password: hunter2'
    on('main').config['user.user-data'] = secret
    on('main').config['environment.TOKEN'] = 'hunter3'
    for (const { settings } of on('main').snapshots.values()) settings.config['user.user-data'] = secret
    const said = await attack([
      { do: 'read-snapshots', ref: ref('main') },
      { ...copyOf(), do: 'check-copy', rules: {} },
    ])
    const inventory = await scene.world.clock.settle(
      scene.world.places[0]?.relay.inventory({
        remotes: ['main', 'backup'],
        config: ['user.user-data', 'environment.TOKEN'],
      }) ?? Promise.reject(new Error('no relay')),
    )
    expect(said).toContain('daily-')
    expect(said + JSON.stringify(inventory)).not.toMatch(/hunter/)
  })
})

/** Steps by chance over all names that there are. */
function chanceStep(random: () => number): Step {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const remote = pick<Remote>(['main', 'backup'])
  const instance = pick(COVERED)
  const snapshot = pick(namesOn(remote, instance)) ?? 'none'
  const flag = (): boolean => random() < 0.5
  const some = (): string[] => namesOn('backup', instance).filter(flag)
  const when = (): string => new Date(scene.world.clock.now() + random() * 10 * DAY).toISOString()
  const transfer = { id: `t${Math.floor(random() * 3)}`, from: flag() ? 0 : 1, names: some() }
  return pick<() => Step>([
    () => ({ do: 'expire', ref: ref(remote, instance), snapshot }),
    () => ({ do: 'set-expiry', ref: ref(remote, instance), snapshot, expiresAt: when() }),
    () => ({ do: 'hold', ref: ref(remote, instance), snapshot, note: flag() ? null : 'x' }),
    () => ({
      do: 'take',
      ref: ref(remote, instance),
      snapshot,
      stateful: false,
      expiresAt: when(),
      again: true,
    }),
    () => ({
      ...{ do: 'verify', source: ref('main', pick(COVERED)), rest: some() },
      target: ref('backup', instance),
      marks: verifiedOf(instance).filter(flag),
      expiries: some().map((name) => ({ snapshot: name, expiresAt: when() })),
      restore: namesOn('main', instance).map((name) => ({ snapshot: name, expiresAt: when() })),
      ...{ protect: false, owner: '' },
    }),
    () =>
      copyOf({
        ...{ source: ref(remote, pick(COVERED)), target: ref(flag() ? 'backup' : 'main', instance) },
        ...{ first: flag(), startOver: flag(), unverified: some(), mirrored: some(), lasting: [] },
        ...{ transfer, verified: [], extended: { [snapshot]: when() } },
      }),
    () => restoreOf(snapshot, { ref: ref(remote, instance), partial: flag() ? null : snapshot }),
  ])()
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])('whatever a stolen key sends, by chance (seed %i)', async (seed) => {
  const random = seededRandom(seed)
  const before = verified()
  for (let round = 0; round < 40; round += 1) {
    await attack([chanceStep(random), chanceStep(random), chanceStep(random)])
    await wait(random() * 2 * HOUR)
    if (random() < 0.1) scene.world.relay.restart()
  }
  await wait(MINUTE)
  for (const [name, pairs] of before)
    for (const [snapshot, createdAt] of pairs) {
      if (createdAt + WEEK < scene.world.clock.now() / 1000) continue
      expect(namesOn('backup', name)).toContain(snapshot)
      expect(hasData(scene.world.incus.backup, { name }, snapshot)).toBe(true)
    }
})
