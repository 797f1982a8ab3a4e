/** An instance and its volumes as one, in the whole product: of one moment, or not at all, and it runs again whatever crashes. */
import { describe, expect, test } from 'vitest'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { slotsOf } from '../../shared/page/timeline.ts'
import { PAUSING } from '../../shared/policy/marks.ts'
import type { Step } from '../../shared/relay/steps.ts'
import { customOf } from '../emulator/custom.ts'
import type { Version } from '../emulator/faces.ts'
import { attachVolume, instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { configOf } from '../unit/policy/instances.ts'
import { ask } from './asking.ts'
import { pass } from './passing.ts'
import { DAY, HOUR, MINUTE } from './scenes.ts'
import { statusIn } from './status.ts'
import { ALL_KILLED, countIn, RELAY_KILLED, RELAY_RESTARTED, SERVER_KILLED, strikeAt } from './strikes.ts'
import { createWorld, type Driver, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')

type Setting = { version?: Version; driver?: Driver; policy?: object; seed?: number }

async function begin({ version = '6.0.4', driver = 'btrfs', policy = {}, seed = 1 }: Setting = {}) {
  const world = createWorld({
    ...{ start: START, seed, versions: { main: version, backup: version } },
    drivers: { main: driver, backup: 'dir' },
  })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web 0', 1000)
  for (const name of ['data', 'logs']) attachVolume(world.incus.main, { name: 'web' }, name)
  write(seedInstance(world.incus.main, { name: 'alone', running: true }), 'alone 0', 1000)
  await world.apply({
    policies: {
      hourly: {
        ...{ remotes: ['main'], schedule: '@hourly', select: { volumes: ['attached'] } },
        ...{ together: true, keep: { last: 3 }, ...policy },
      },
    },
  })
  world.incus.main.snapshotMs = 3_000
  return world
}

const isOurs = (name: string): boolean => /^hourly-/.test(name)
const web = (world: World) => instanceOf(world.incus.main, { name: 'web' })
const namesOf = (world: World, name: string): string[] =>
  [...(name === 'web' ? web(world) : customOf(world.incus.main, { name })).snapshots.keys()].filter(isOurs)
const noted = (world: World): Ledger => JSON.parse(world.kv.peek('ledger') ?? '{}') as Ledger

describe.each<[Version, Driver]>([
  ['6.0.4', 'btrfs'],
  ['6.0.4', 'dir'],
  ['7.0.2', 'btrfs'],
])('on %s with %s', (version, driver) => {
  test('all of it is taken while it stands still, under one name, and stays and goes together', async () => {
    const world = await begin({ version, driver })
    const seen: string[] = []
    world.weather.now = (_, { method, path }) => {
      if (method === 'POST' && /\/(web|data|logs)\/snapshots/.test(path)) seen.push(web(world).status)
      return null
    }
    await pass(world, 5 * HOUR + 10 * MINUTE)
    expect(new Set(seen)).toEqual(new Set(['Frozen']))
    expect(web(world).status).toBe('Running')
    expect(web(world).config[PAUSING] ?? '').toBe('')
    expect(namesOf(world, 'web')).toEqual(namesOf(world, 'data'))
    expect(namesOf(world, 'web')).toEqual(namesOf(world, 'logs'))
    expect(namesOf(world, 'web').slice(-3)).toEqual([
      'hourly-20261120T0300Z',
      'hourly-20261120T0400Z',
      'hourly-20261120T0500Z',
    ])
    const { slots } = noted(world).policies.hourly ?? expect.fail()
    expect(slots.every(({ outcome }) => outcome === 'served')).toBe(true)
  })
})

/** All requests that change something, or that decide about it. */
const isOfGroup = (_: string, { path }: { path: string }): boolean =>
  /\/(web|data|logs)(\/|\?|$)|operations\//.test(path)

/** Requests of the one tick in which a group is taken, if nothing happens to it. */
async function countRequests(setting: Setting): Promise<number> {
  const world = await begin(setting)
  await pass(world, HOUR - 2 * MINUTE)
  const count = countIn(world, isOfGroup)
  await world.tick(new Date('2026-11-20T01:00:30Z'))
  return count()
}

/** What is there, and counts: of one moment, whole, and running. */
function expectWhole(world: World): void {
  const partial = new Set(noted(world).policies.hourly?.partial ?? [])
  const counted = ['web', 'data', 'logs'].map((name) => {
    const key = `main/default/${name === 'web' ? name : `default:${name}`}`
    const all = name === 'web' ? web(world) : customOf(world.incus.main, { name })
    return [...all.snapshots.values()].flatMap((one) => {
      if (!isOurs(one.name) || partial.has(`${key}/${one.name}`)) return []
      expect(one.disk.held).toBe('whole')
      return [one.name]
    })
  })
  expect(counted[1]).toEqual(counted[0])
  expect(counted[2]).toEqual(counted[0])
  expect(web(world).status).toBe('Running')
  expect(web(world).config[PAUSING] ?? '').toBe('')
}

const STRIKES = [RELAY_KILLED, RELAY_RESTARTED, SERVER_KILLED, ALL_KILLED]

describe.each<[string, Setting]>([
  ['btrfs', {}],
  ['dir', { driver: 'dir', version: '7.0.2' }],
])('at each request on %s', (_, setting) => {
  test.each(STRIKES)('%s: it runs again, and no part of it counts', async (_, strike) => {
    const requests = await countRequests(setting)
    expect(requests).toBeGreaterThan(12)
    for (let struck = 1; struck <= requests; struck++) {
      const world = await begin(setting)
      await pass(world, HOUR - 2 * MINUTE)
      strikeAt(world, [struck, strike], isOfGroup)
      await world.tick(new Date('2026-11-20T01:00:30Z'))
      await world.clock.advance(world.clock.now() + MINUTE / 2)
      expect(web(world).status, `request ${struck}`).toBe('Running')
      await pass(world, 8 * MINUTE)
      expectWhole(world)
      await pass(world, HOUR)
      expectWhole(world)
      const names = namesOf(world, 'web')
      expect(names.at(-1), `request ${struck}`).toBe('hourly-20261120T0200Z')
      expect(names.filter((name) => name.startsWith('hourly-20261120T01'))).toHaveLength(1)
    }
  })
})

const MEMBERS = ['web', 'data', 'logs'] as const
const allOf = (world: World) => MEMBERS.map((name) => namesOf(world, name))

test('past its pause it runs on, none of it counts, nothing is left of it, and it is taken when it can be', async () => {
  const world = await begin({ policy: { together: { pause: '20s' } } })
  await pass(world, HOUR - 2 * MINUTE)
  world.incus.main.snapshotMs = 50_000
  const seen: [number, string][] = []
  const at = Date.parse('2026-11-20T01:00:30Z')
  for (const second of [10, 19, 25, 40])
    world.clock.after(at + second * 1000 - world.clock.now(), () => seen.push([second, web(world).status]))
  await world.tick(new Date(at))
  expect(seen).toEqual([
    [10, 'Frozen'],
    [19, 'Frozen'],
    [25, 'Running'],
    [40, 'Running'],
  ])
  await pass(world, 10 * MINUTE)
  expect(
    allOf(world)
      .flat()
      .filter((name) => name.startsWith('hourly-20261120T01')),
  ).toEqual([])
  const { open } = noted(world).policies.hourly ?? expect.fail()
  expect(open?.attempts['main/default/default:data']?.reason).toContain('stood still for 20 s')
  world.incus.main.snapshotMs = 1_000
  await pass(world, 40 * MINUTE)
  expectWhole(world)
  expect(namesOf(world, 'web').filter((name) => name.startsWith('hourly-20261120T01'))).toHaveLength(1)
})

test('what a person has paused stays paused, before, meanwhile and after', async () => {
  const world = await begin()
  await pass(world, HOUR - 2 * MINUTE)
  web(world).status = 'Frozen'
  await pass(world, HOUR)
  expect(web(world).status).toBe('Frozen')
  expect(allOf(world).map((names) => names.at(-1))).toEqual(Array(3).fill('hourly-20261120T0100Z'))
})

test('a snapshot that a person restores brings the mark back, and what they pause then stays paused', async () => {
  const world = await begin()
  await pass(world, HOUR + 10 * MINUTE)
  const [snapshot = expect.fail()] = [...web(world).snapshots.values()].filter(({ name }) =>
    name.endsWith('0100Z'),
  )
  expect(snapshot.settings.config[PAUSING]).toContain(' ~')
  web(world).config[PAUSING] = snapshot.settings.config[PAUSING] ?? ''
  web(world).status = 'Frozen'
  const before = allOf(world)
  await pass(world, 30 * MINUTE)
  expect(web(world).status).toBe('Frozen')
  expect(allOf(world)).toEqual(before)
  await pass(world, HOUR)
  expect(web(world).config[PAUSING] ?? '').toBe('')
  expect(web(world).status).toBe('Frozen')
  for (const names of allOf(world)) expect(names).toContain('hourly-20261120T0100Z')
})

test('another one let it run meanwhile: the snapshots are not of one moment, and go', async () => {
  const world = await begin()
  await pass(world, HOUR - 2 * MINUTE)
  const at = Date.parse('2026-11-20T01:00:30Z')
  world.clock.after(at + 2_000 - world.clock.now(), () => {
    web(world).status = 'Running'
  })
  const ran = await world.tick(new Date(at))
  expect(JSON.stringify(ran)).toContain('did not stand still all the time')
  expect(
    allOf(world)
      .flat()
      .filter((name) => name.endsWith('T0100Z')),
  ).toEqual([])
  await pass(world, 5 * MINUTE)
  expectWhole(world)
})

test('what stood still for another snapshot and then ran: those are not of one moment, and go', async () => {
  const world = await begin({ driver: 'dir' })
  await pass(world, HOUR - 2 * MINUTE)
  const at = Date.parse('2026-11-20T01:00:30Z')
  world.clock.after(at - 1_000 - world.clock.now(), () => {
    web(world).status = 'Frozen'
  })
  world.clock.after(at + 2_000 - world.clock.now(), () => {
    web(world).status = 'Running'
  })
  const ran = await world.tick(new Date(at))
  expect(JSON.stringify(ran)).toContain('was Frozen at first and is Running now')
  expect(allOf(world).flat()).not.toContainEqual(expect.stringMatching(/T0100Z$/))
  await pass(world, 5 * MINUTE)
  expectWhole(world)
})

test('one of it that can not be taken leaves none of the others', async () => {
  const world = await begin()
  await pass(world, HOUR - 2 * MINUTE)
  world.weather.now = (_, { method, path }) =>
    method === 'POST' && path.includes('/custom/logs/snapshots') ? 500 : null
  const before = allOf(world)
  await pass(world, 20 * MINUTE)
  expect(allOf(world)).toEqual(before)
  expect(web(world).status).toBe('Running')
  const { promises } = await statusIn(world)
  const states = promises
    .map(({ subject, newest }) => [subject, newest?.snapshot])
    .filter(([subject]) => subject !== 'main/default/alone')
  expect(new Set(states.map(([, at]) => at)).size).toBe(1)
  world.weather.now = () => null
  await pass(world, 20 * MINUTE)
  expectWhole(world)
})

test('how long it stood still is in the record of the slot', async () => {
  const world = await begin()
  await pass(world, HOUR + 10 * MINUTE)
  const { slots } = noted(world).policies.hourly ?? expect.fail()
  expect(slots[0]?.paused?.['main/default/web']).toBeGreaterThanOrEqual(3)
  expect(Object.keys(slots[0]?.paused ?? {})).toEqual(['main/default/web'])
  const policies = configOf({ hourly: { schedule: '@hourly' } }).policies
  const shown = slotsOf(policies, () => slots, new Date(world.clock.now()), 'main/default/web')
  expect(shown.find(({ at }) => at === slots[0]?.slot)?.reason).toMatch(/^served, it stood still for \d/)
})

test('on request all of it is taken, whichever is named, is held together, and goes by name together', async () => {
  const world = await begin()
  await pass(world, 10 * MINUTE)
  const manual = () =>
    MEMBERS.map((name) =>
      [...(name === 'web' ? web(world) : customOf(world.incus.main, { name })).snapshots.keys()].filter(
        (one) => one.startsWith('manual-'),
      ),
    )
  const ran = await ask(world, { do: 'snapshot', instances: ['main/default/default:logs'] })
  expect(ran.refusal).toBeNull()
  const [[snapshot = expect.fail()] = []] = manual()
  expect(manual()).toEqual(Array(3).fill([snapshot]))
  await ask(world, { do: 'hold', instance: 'main/default/web', snapshot, note: 'x' })
  for (const name of ['data', 'logs'])
    expect(customOf(world.incus.main, { name }).config).toHaveProperty([`user.stapes.hold.${snapshot}`])
  await ask(world, { do: 'release', instance: 'main/default/web', snapshot })
  await pass(world, 3 * HOUR, 7 * MINUTE)
  await pass(world, 12 * MINUTE)
  await ask(world, { do: 'expire', instances: ['main/default/web'], snapshots: [snapshot], grace: 0 })
  expect(manual()).toEqual([[], [], []])
})

describe('what keeps one of it keeps all', () => {
  test('a hold on one of its snapshots', async () => {
    const world = await begin({ policy: { keep: { last: 2 } } })
    await pass(world, HOUR + 10 * MINUTE)
    const snapshot = 'hourly-20261120T0100Z'
    await ask(world, { do: 'hold', instance: 'main/default/web', snapshot, note: 'for the audit' })
    await pass(world, 6 * HOUR)
    for (const names of allOf(world)) expect(names).toContain(snapshot)
    await ask(world, { do: 'release', instance: 'main/default/default:logs', snapshot })
    await pass(world, 2 * HOUR)
    for (const names of allOf(world)) expect(names).not.toContain(snapshot)
  })

  test('a hold that a person has set on the instance by its key, also beyond what Incus would expire', async () => {
    const world = await begin({ policy: { keep: { last: 2 }, expiry: '4H' } })
    await pass(world, HOUR + 10 * MINUTE)
    web(world).config['user.stapes.hold.hourly-20261120T0100Z'] = 'mine'
    await pass(world, 6 * HOUR)
    for (const names of allOf(world)) expect(names).toContain('hourly-20261120T0100Z')
  })

  test('a copy that needs it', async () => {
    const world = await begin({ policy: { keep: { last: 2 }, copy: { remote: 'backup' } } })
    await pass(world, HOUR + 10 * MINUTE)
    world.incus.backup.kill()
    await pass(world, 6 * HOUR)
    expect(allOf(world)[1]).toEqual(allOf(world)[0])
    expect(allOf(world)[0]).toContain('hourly-20261120T0100Z')
    world.incus.backup.start()
    await pass(world, 2 * HOUR)
    expect(allOf(world)[2]).toEqual(allOf(world)[0])
  })

  test('by name all of it goes, and comes back by one undo', async () => {
    const world = await begin({ policy: { keep: { last: 99 } } })
    await pass(world, 4 * HOUR + 10 * MINUTE)
    const snapshot = 'hourly-20261120T0200Z'
    const ran = await ask(world, {
      do: 'expire',
      instances: ['main/default/default:data'],
      snapshots: [snapshot],
    })
    expect(ran.lines.map(({ about }) => about).sort()).toEqual([
      'main/default/default:data',
      'main/default/default:logs',
      'main/default/web',
    ])
    await ask(world, { do: 'undo', instance: 'main/default/web', snapshot })
    await pass(world, 3 * DAY, 7 * MINUTE)
    for (const names of allOf(world)) expect(names).toContain(snapshot)
    await ask(world, { do: 'expire', instances: ['main/default/web'], snapshots: [snapshot], grace: 0 })
    for (const names of allOf(world)) expect(names).not.toContain(snapshot)
  })
})

test('whoever has stolen the signing key has it stand still for no longer, and not again at once', async () => {
  const world = await begin()
  await pass(world, 10 * MINUTE)
  const relay = world.places[0]?.relay ?? expect.fail()
  const ref = { remote: 'main', project: 'default', instance: 'web' }
  const attack = async (minute: number) => {
    const snapshot = `hourly-20261120T00${minute}Z`
    const step: Step = { do: 'take-group', snapshot, members: [{ ref, expiresAt: null }], pause: 60 }
    const jobs = [{ id: `attack ${minute}`, steps: [step] }]
    return JSON.stringify([...(await world.clock.settle(relay.batch(jobs))).answers.values()])
  }
  world.incus.main.snapshotMs = HOUR
  expect(await attack(31)).toContain('stood still for 60 s')
  expect(web(world).status).toBe('Running')
  expect(await attack(32)).toContain('it stood still until just now')
  expect(web(world).status).toBe('Running')
})

test.each([[true], [false]])(
  'a group that is asked for again leaves the one that is there (running: %s)',
  async (isRunning) => {
    const world = await begin()
    await pass(world, 10 * MINUTE)
    if (!isRunning) web(world).status = 'Stopped'
    const relay = world.places[0]?.relay ?? expect.fail()
    const members = ['web', 'default:data', 'default:logs'].map((instance) => ({
      ref: { remote: 'main', project: 'default', instance },
      expiresAt: null,
    }))
    const ask = async (id: string) => {
      const step: Step = { do: 'take-group', snapshot: 'hourly-20261120T0033Z', members, pause: 60 }
      return JSON.stringify([
        ...(await world.clock.settle(relay.batch([{ id, steps: [step] }]))).answers.values(),
      ])
    }
    expect(await ask('first')).toContain('"ok":true')
    const made = allOf(world)
    expect(made.map((names) => names.at(-1))).toEqual(Array(3).fill('hourly-20261120T0033Z'))
    await world.clock.advance(world.clock.now() + 15_000)
    expect(await ask('again')).toContain('already in use')
    await world.clock.advance(world.clock.now() + MINUTE)
    expect(allOf(world)).toEqual(made)
    expect(web(world).status).toBe(isRunning ? 'Running' : 'Stopped')
  },
)

test('what is taken under the name of a group that could not be ended yet stays', async () => {
  const world = await begin()
  await pass(world, 10 * MINUTE)
  web(world).status = 'Stopped'
  const relay = world.places[0]?.relay ?? expect.fail()
  const snapshot = 'hourly-20261120T0033Z'
  const members = ['web', 'default:data', 'default:logs'].map((instance) => ({
    ref: { remote: 'main', project: 'default', instance },
    expiresAt: null,
  }))
  const send = async (id: string, step: Step) =>
    JSON.stringify([...(await world.clock.settle(relay.batch([{ id, steps: [step] }]))).answers.values()])
  let isFailing = false
  world.weather.now = (_, { method, path }) => {
    if (method === 'POST' && path.includes('/logs/snapshots')) isFailing = true
    return isFailing && path.includes('snapshots') ? 503 : null
  }
  const group: Step = { do: 'take-group', snapshot, members, pause: 60 }
  expect(await send('group', group)).toContain('may be left')
  customOf(world.incus.main, { name: 'data' }).snapshots.delete(snapshot)
  world.weather.now = () => null
  const [, data = expect.fail()] = members
  expect(await send('alone', { do: 'take', ...data, snapshot, stateful: false })).toContain('"ok":true')
  await pass(world, 10 * MINUTE)
  expect(namesOf(world, 'data')).toContain(snapshot)
})

test('what somebody else makes under its name just before it is taken stays, though the rest of it goes', async () => {
  const world = await begin()
  await pass(world, 10 * MINUTE)
  const relay = world.places[0]?.relay ?? expect.fail()
  const members = ['web', 'default:data', 'default:logs'].map((instance) => ({
    ref: { remote: 'main', project: 'default', instance },
    expiresAt: null,
  }))
  const { snapshots } = customOf(world.incus.main, { name: 'data' })
  const [first = expect.fail()] = snapshots.values()
  const takeWhile = async (
    snapshot: string,
    isNow: (method: string, path: string) => boolean,
    fails: boolean,
  ) => {
    const step: Step = { do: 'take-group', snapshot, members, pause: 60 }
    world.weather.now = (_, { method, path }) => {
      if (!isNow(method, path)) return null
      snapshots.set(snapshot, {
        ...first,
        name: snapshot,
        createdAt: new Date(world.clock.now()).toISOString(),
      })
      return fails ? 500 : null
    }
    const job = { id: `group ${snapshot}`, steps: [step] }
    const { answers } = await world.clock.settle(relay.batch([job]))
    world.weather.now = () => null
    return JSON.stringify([...answers.values()])
  }
  const [taken, frozen] = ['hourly-20261120T0033Z', 'hourly-20261120T0034Z']
  const taking = (method: string, path: string) => method === 'POST' && path.includes('/data/snapshots')
  expect(await takeWhile(taken, taking, false)).toContain('already in use')
  await pass(world, 5 * MINUTE)
  const freezing = (method: string, path: string) => method === 'PUT' && path.includes('/web/state')
  await takeWhile(frozen, freezing, true)
  await pass(world, 5 * MINUTE)
  expect(namesOf(world, 'data')).toEqual(expect.arrayContaining([taken, frozen]))
  for (const name of ['web', 'logs']) expect(namesOf(world, name)).not.toContain(taken)
})

test('what was seen to be made is not replaced, though a late tick takes it for partial, also where nothing can be taken', async () => {
  const world = await begin()
  await pass(world, 10 * MINUTE)
  const relay = world.places[0]?.relay ?? expect.fail()
  const [snapshot, alone] = ['hourly-20261120T0033Z', 'hourly-20261120T0034Z']
  const members = ['web', 'default:data', 'default:logs'].map((instance) => ({
    ref: { remote: 'main', project: 'default', instance },
    expiresAt: null,
  }))
  const [web0 = expect.fail()] = members
  const stepsOf = (again: object): Step[] => [
    { do: 'take', ...web0, snapshot: alone, stateful: false, ...again },
    { do: 'take-group', snapshot, members: members.map((one) => ({ ...one, ...again })), pause: 60 },
  ]
  const send = async (again: object) => {
    const said: unknown[] = []
    for (const [at, step] of stepsOf(again).entries()) {
      const job = { id: `job ${at} ${Object.keys(again)}`, steps: [step] }
      said.push(...(await world.clock.settle(relay.batch([job]))).answers.values())
      await world.clock.advance(world.clock.now() + MINUTE)
    }
    return JSON.stringify(said)
  }
  const datesOf = () =>
    [web(world), customOf(world.incus.main, { name: 'data' })].map(({ snapshots }) =>
      [snapshot, alone].map((name) => snapshots.get(name)?.createdAt),
    )
  const made = await send({})
  expect(made).not.toContain('"ok":false')
  const dates = datesOf()
  world.weather.now = (_, { method, path }) => (method === 'POST' && path.includes('/snapshots') ? 500 : null)
  expect(await send({ again: true })).not.toContain('"ok":false')
  expect(datesOf()).toEqual(dates)
})

describe('the relay is killed, and somebody else makes one under that name', () => {
  const cut = async (isNow: (method: string, path: string) => boolean, strange: (world: World) => void) => {
    const world = await begin()
    await pass(world, HOUR - 2 * MINUTE)
    let isCut = false
    world.weather.now = (_, { method, path }) => {
      if (isCut && method === 'POST' && path.includes('/snapshots')) return 500
      if (isCut || !isNow(method, path)) return null
      isCut = true
      strange(world)
      world.relay.kill()
      return 500
    }
    await world.tick(new Date('2026-11-20T01:00:30Z'))
    world.weather.now = () => null
    return world
  }
  const make = (world: World, name: 'web' | 'data', config: Record<string, string> = {}) => {
    const createdAt = new Date(world.clock.now()).toISOString()
    const snapshot = 'hourly-20261120T0100Z'
    const [first = expect.fail()] = web(world).snapshots.values()
    const [other = expect.fail()] = customOf(world.incus.main, { name: 'data' }).snapshots.values()
    if (name === 'web')
      web(world).snapshots.set(snapshot, {
        ...first,
        ...{ name: snapshot, createdAt, settings: { ...first.settings, config } },
      })
    else customOf(world.incus.main, { name }).snapshots.set(snapshot, { ...other, name: snapshot, createdAt })
  }

  test('before any of it was asked for: that one stays', async () => {
    const freezing = (method: string, path: string) => method === 'PUT' && path.includes('/web/state')
    let made: string | undefined
    const there = (of: World) =>
      customOf(of.incus.main, { name: 'data' }).snapshots.get('hourly-20261120T0100Z')?.createdAt
    const world = await cut(freezing, (of) => {
      make(of, 'data')
      made = there(of)
    })
    await pass(world, 10 * MINUTE)
    expect(there(world)).toBe(made ?? expect.fail())
    expectWhole(world)
  })

  test('after it, as another group: all of that stays, counts for nothing, and is told until a person has looked', async () => {
    const taking = (method: string, path: string) => method === 'POST' && path.includes('/web/snapshots')
    const world = await cut(taking, (of) => {
      make(of, 'web', { [PAUSING]: '2026-11-20T01:00:29.000Z ~of-another' })
      make(of, 'data')
    })
    await pass(world, 10 * MINUTE)
    for (const name of ['web', 'data']) expect(namesOf(world, name)).toContain('hourly-20261120T0100Z')
    const told = async () =>
      JSON.stringify((await statusIn(world)).conditions).includes('somebody else may have made it')
    expect(await told()).toBe(true)
    web(world).snapshots.delete('hourly-20261120T0100Z')
    customOf(world.incus.main, { name: 'data' }).snapshots.delete('hourly-20261120T0100Z')
    await pass(world, HOUR)
    expect(await told()).toBe(false)
  })
})
