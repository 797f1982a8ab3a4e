/** Hooks of a group, in the whole product: all is taken while the guest is ready, and the command after runs, whatever happens. */
import { describe, expect, test } from 'vitest'
import type { Hook } from '../../relay/engine/hooks.ts'
import type { Ledger } from '../../shared/ledger/ledger.ts'
import { PAUSING } from '../../shared/policy/marks.ts'
import type { Step } from '../../shared/relay/steps.ts'
import { customOf } from '../emulator/custom.ts'
import type { Ran } from '../emulator/execs.ts'
import { attachVolume, instanceOf, seedInstance, write } from '../emulator/scene.ts'
import { pass } from './passing.ts'
import { restoreStep } from './restore-step.ts'
import { HOUR, MINUTE } from './scenes.ts'
import { countIn, RELAY_KILLED, SERVER_KILLED, type Strike, strikeAt } from './strikes.ts'
import { createWorld, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')
const SLOT = new Date('2026-11-20T01:00:30Z')

/** A database in the guest: ready from the command before to the one after. */
type Guest = { ready: boolean; ran: string[]; begin: Ran; end: Ran }

type Hooked = { world: World; guest: Guest; hooks: Record<string, Hook>; log: string[] }

async function begin(together: object = { hook: 'db' }): Promise<Hooked> {
  const hooks: Record<string, Hook> = {
    db: {
      instances: ['main/default/web', 'main/default/alone'],
      before: ['begin'],
      after: ['end'],
      timeout: 10,
    },
  }
  const log: string[] = []
  const world = createWorld({ start: START, hooks, hookLog: log })
  write(seedInstance(world.incus.main, { name: 'web', running: true }), 'web 0', 1000)
  attachVolume(world.incus.main, { name: 'web' }, 'data')
  const guest: Guest = {
    ready: false,
    ran: [],
    begin: { status: 0, stdout: 'secret\n', ms: 200 },
    end: { status: 0 },
  }
  world.incus.main.guest = ({ name }, [word = '']) => {
    guest.ran.push(`${word} ${name}`)
    const { [word as 'begin']: ran } = guest
    if (word === 'begin' && (ran.ms ?? 0) > 20_000)
      world.clock.after(ran.ms ?? 0, () => setReady(guest, true))
    else if (ran.status === 0) setReady(guest, word === 'begin')
    return ran
  }
  await world.apply({
    policies: {
      hourly: {
        ...{ remotes: ['main'], schedule: '@hourly', select: { volumes: ['attached'] } },
        ...{ together, keep: { last: 3 } },
      },
    },
  })
  world.incus.main.snapshotMs = 3_000
  return { world, guest, hooks, log }
}

function setReady(guest: Guest, ready: boolean): void {
  guest.ready = ready
}

const web = ({ world }: Hooked) => instanceOf(world.incus.main, { name: 'web' })
const noted = ({ world }: Hooked): Ledger => JSON.parse(world.kv.peek('ledger') ?? '{}') as Ledger
const slotOf = (it: Hooked) => noted(it).policies.hourly?.slots[0]
const namesOf = ({ world }: Hooked): string[][] =>
  [instanceOf(world.incus.main, { name: 'web' }), customOf(world.incus.main, { name: 'data' })].map(
    ({ snapshots }) => [...snapshots.keys()].filter((name) => name.startsWith('hourly-')),
  )
const ofSlot = (it: Hooked): string[] =>
  namesOf(it)
    .flat()
    .filter((name) => name.endsWith('T0100Z'))

/** The command after has run, and nothing of it is left. */
function expectEnded(it: Hooked): void {
  expect(it.guest.ready).toBe(false)
  expect(it.guest.ran.at(-1)).toBe('end web')
  expect([...web(it).outputs.keys()]).toEqual([])
  expect(web(it).config[PAUSING] ?? '').toBe('')
  expect(web(it).status).toBe('Running')
}

/** What was taken for the slot, with how the guest was then. */
async function takeSlot(it: Hooked, lead = 2 * MINUTE): Promise<{ status: string; ready: boolean }[]> {
  const seen: { status: string; ready: boolean }[] = []
  await pass(it.world, HOUR - lead)
  it.guest.ran.length = 0
  it.world.weather.now = (_, { method, path }) => {
    if (method === 'POST' && /\/(web|data)\/snapshots/.test(path))
      seen.push({ status: web(it).status, ready: it.guest.ready })
    return null
  }
  await it.world.tick(SLOT)
  return seen
}

describe('a group with a hook', () => {
  test('is taken while it runs and is ready, and what the commands write stays with the relay', async () => {
    const it = await begin()
    expect(await takeSlot(it)).toEqual(Array(2).fill({ status: 'Running', ready: true }))
    expect(it.guest.ran).toEqual(['begin web', 'end web'])
    expectEnded(it)
    expect(slotOf(it)).toMatchObject({ outcome: 'served', served: 2 })
    expect(slotOf(it)).not.toHaveProperty('paused')
    expect(it.log.join()).toContain('stdout: secret')
    expect(it.world.kv.peek('ledger')).not.toContain('secret')
  })

  test('may be an instance without volumes', async () => {
    const it = await begin()
    write(seedInstance(it.world.incus.main, { name: 'alone', running: true }), 'alone 0', 1000)
    await pass(it.world, HOUR + 5 * MINUTE)
    expect(it.guest.ran).toContain('begin alone')
    const { snapshots } = instanceOf(it.world.incus.main, { name: 'alone' })
    expect([...snapshots.keys()]).toContain('hourly-20261120T0100Z')
  })

  test('that does not run is taken as it is', async () => {
    const it = await begin()
    web(it).status = 'Stopped'
    expect(await takeSlot(it)).toEqual(Array(2).fill({ status: 'Stopped', ready: false }))
    expect(it.guest.ran).toEqual([])
    expect(slotOf(it)).toMatchObject({ outcome: 'served' })
  })
})

describe('a command before that fails', () => {
  test('leaves no snapshot where the policy says so, and the one after runs all the same', async () => {
    const it = await begin()
    it.guest.begin = { status: 3, stderr: 'no such database' }
    expect(await takeSlot(it)).toEqual([])
    expectEnded(it)
    const { open } = noted(it).policies.hourly ?? expect.fail()
    const { reason } = open?.attempts['main/default/web'] ?? expect.fail()
    expect(reason).toContain('the command before of its hook "db" ended with status 3')
    expect(reason).not.toContain('no such database')
    it.guest.begin = { status: 0 }
    await pass(it.world, 10 * MINUTE)
    expectEnded(it)
    const [own, volume] = namesOf(it)
    expect(volume).toEqual(own)
    expect(own).not.toEqual([])
  })

  test('has it stand still where the policy says so, and the record tells it', async () => {
    const it = await begin({ hook: 'db', otherwise: 'pause' })
    it.guest.begin = { status: 3 }
    expect(await takeSlot(it)).toEqual(Array(2).fill({ status: 'Frozen', ready: false }))
    expectEnded(it)
    expect(slotOf(it)).toMatchObject({
      outcome: 'served',
      reason:
        'taken without its hook "db", so only crash-consistent: the command before of its hook "db" ended with status 3; what it has written is in the relay’s log',
      paused: { 'main/default/web': expect.any(Number) },
    })
  })

  test.each(['fail', 'pause'])(
    'as it takes too long: the one after runs at once, and again when it has ended (%s)',
    async (otherwise) => {
      const it = await begin({ hook: 'db', otherwise })
      it.guest.begin = { status: 0, ms: 5 * MINUTE }
      const seen = await takeSlot(it)
      expect(seen).toEqual(otherwise === 'fail' ? [] : Array(2).fill({ status: 'Frozen', ready: false }))
      expect(web(it).status).toBe('Running')
      it.guest.begin = { status: 0 }
      expect(it.guest.ran.slice(0, 2)).toEqual(['begin web', 'end web'])
      await pass(it.world, 4 * MINUTE)
      // Nothing is begun beside it.
      expect(it.guest.ran.filter((ran) => ran === 'begin web')).toHaveLength(1)
      await pass(it.world, 5 * MINUTE)
      expectEnded(it)
      await pass(it.world, HOUR)
      expectEnded(it)
      expect(namesOf(it)[0]).toContain('hourly-20261120T0200Z')
    },
  )

  test.each([
    ['fail', []],
    ['pause', Array(2).fill({ status: 'Frozen', ready: false })],
  ])('as the relay has none of that name for it (%s)', async (otherwise, seen) => {
    const it = await begin({ hook: 'other', otherwise })
    expect(await takeSlot(it)).toEqual(seen)
    expect(it.guest.ran).toEqual([])
    expect(web(it).status).toBe('Running')
    if (otherwise === 'pause')
      expect(slotOf(it)?.reason).toBe(
        'taken without its hook "other", so only crash-consistent: the relay has none of that name for it',
      )
    else
      expect(noted(it).policies.hourly?.open?.attempts['main/default/web']?.reason).toContain(
        'its configuration has no hook of that name for it',
      )
  })
})

describe('a command after that fails', () => {
  test('is tried again, and what was taken counts', async () => {
    const it = await begin()
    it.guest.end = { status: 1 }
    expect(await takeSlot(it)).toEqual(Array(2).fill({ status: 'Running', ready: true }))
    expect(slotOf(it)).toMatchObject({
      outcome: 'served',
      reason: expect.stringContaining('the command after has failed so far'),
    })
    it.guest.end = { status: 0 }
    await pass(it.world, 2 * MINUTE)
    expectEnded(it)
    expect(ofSlot(it)).toHaveLength(2)
  })

  test('each time is told and left in the end, so that backups go on', async () => {
    const it = await begin()
    it.guest.end = { status: 1 }
    await takeSlot(it)
    await pass(it.world, 10 * MINUTE)
    expect(it.log.join('\n')).toContain('given up after 10 tries')
    expect(it.guest.ran.filter((ran) => ran === 'end web')).toHaveLength(10)
    await pass(it.world, HOUR)
    expect(namesOf(it)[0]).toContain('hourly-20261120T0200Z')
  })

  test('as the relay’s configuration lost it: that is told, nothing else is begun, and it runs once it is back', async () => {
    const it = await begin()
    await pass(it.world, HOUR - 2 * MINUTE)
    it.world.clock.after(SLOT.getTime() + 2_000 - it.world.clock.now(), () => {
      const { db = expect.fail() } = it.hooks
      delete it.hooks.db
      it.world.relay.kill()
      it.hooks.later = db
    })
    await it.world.tick(SLOT)
    await pass(it.world, 5 * MINUTE)
    expect(it.guest.ready).toBe(true)
    expect(JSON.stringify(noted(it).sight)).toContain('its configuration has no such hook for it any more')
    const { later = expect.fail() } = it.hooks
    it.hooks.db = later
    it.world.relay.restart()
    await pass(it.world, 3 * MINUTE)
    expectEnded(it)
  })
})

test('what was stopped while it was ready gets its command after when it runs again', async () => {
  const it = await begin()
  await pass(it.world, HOUR - 2 * MINUTE)
  it.world.clock.after(SLOT.getTime() + 2_000 - it.world.clock.now(), () => {
    web(it).status = 'Stopped'
  })
  await it.world.tick(SLOT)
  await pass(it.world, 30 * MINUTE)
  expect(it.guest.ready).toBe(true)
  web(it).status = 'Running'
  await pass(it.world, 35 * MINUTE)
  expectEnded(it)
  expect(namesOf(it)[1]).toEqual(namesOf(it)[0])
})

const STRIKES: Strike[] = [
  RELAY_KILLED,
  SERVER_KILLED,
  [
    'the relay is killed, and journal and ledger are lost',
    ({ relay, kv }) => {
      relay.kill()
      relay.forget()
      kv.wipe(['ledger'])
    },
  ],
]

const isOfGroup = (_: string, { path }: { path: string }): boolean =>
  /\/(web|data)(\/|\?|$)|operations\//.test(path)

describe('at each request', () => {
  test.each(STRIKES)('%s: the command after runs, and no part counts', async (_, strike) => {
    const counted = await begin()
    await pass(counted.world, HOUR - 2 * MINUTE)
    const count = countIn(counted.world, isOfGroup)
    await counted.world.tick(SLOT)
    const requests = count()
    expect(requests).toBeGreaterThan(15)
    for (let struck = 1; struck <= requests; struck++) {
      const it = await begin()
      const { world } = it
      await pass(world, HOUR - 2 * MINUTE)
      it.guest.ran.length = 0
      strikeAt(world, [struck, strike], isOfGroup)
      await world.tick(SLOT)
      await pass(world, 8 * MINUTE)
      expect(it.guest.ready, `request ${struck}`).toBe(false)
      expectEnded(it)
      const [own = [], volume = []] = namesOf(it)
      const partial = new Set(noted(it).policies.hourly?.partial ?? [])
      expect(volume.filter((name) => !partial.has(`main/default/default:data/${name}`))).toEqual(
        own.filter((name) => !partial.has(`main/default/web/${name}`)),
      )
      expect(
        own.filter((name) => name.startsWith('hourly-20261120T01')),
        `request ${struck}`,
      ).toHaveLength(1)
    }
  })
})

test.each([
  [0, ['begin web', 'end web']],
  // Where it fails, the one after runs at once, and once more when all of it is undone.
  [3, ['begin web', 'end web', 'end web']],
])(
  'whoever has stolen the signing key has a configured command run, where it may be, and not again at once, though it ends with %i',
  async (status, ran) => {
    const it = await begin()
    await pass(it.world, 10 * MINUTE)
    it.guest.ran.length = 0
    it.guest.begin = { status, ms: 200 }
    const relay = it.world.places[0]?.relay ?? expect.fail()
    const attack = async (minute: number, name: string, instance = 'web') => {
      const ref = { remote: 'main', project: 'default', instance }
      const step: Step = {
        ...{ do: 'take-group', snapshot: `hourly-20261120T00${minute}Z`, pause: 60 },
        ...{ members: [{ ref, expiresAt: null }], hook: { name, otherwise: 'fail' } },
      }
      const jobs = [{ id: `attack ${minute} ${name}`, steps: [step] }]
      return JSON.stringify([...(await it.world.clock.settle(relay.batch(jobs))).answers.values()])
    }
    seedInstance(it.world.incus.main, { name: 'other', running: true })
    expect(await attack(31, 'db', 'other')).toContain('its configuration has no hook of that name for it')
    expect(await attack(32, 'constructor')).toContain('its configuration has no hook of that name for it')
    expect(it.guest.ran).toEqual([])
    await attack(33, 'db')
    expect(it.guest.ran).toEqual(ran)
    expect(await attack(34, 'db')).toContain('it stood still until just now')
    expect(it.guest.ran).toEqual(ran)
  },
)

describe('a group and a restore of the same instance', () => {
  const ref = { remote: 'main', project: 'default', instance: 'web' }
  /** Both by whoever chooses no locks; `first` has begun so many milliseconds before the other. */
  async function both(first: 'group' | 'restore', ms: number) {
    const it = await begin()
    await pass(it.world, 10 * MINUTE)
    it.guest.ran.length = 0
    it.guest.begin = { status: 0, ms: 5_000 }
    it.world.incus.main.restoreMs = 20_000
    const relay = it.world.places[0]?.relay ?? expect.fail()
    const [snapshot = expect.fail()] = web(it).snapshots.keys()
    const steps: Record<typeof first, Step> = {
      group: {
        ...{ do: 'take-group', snapshot: 'hourly-20261120T0031Z', pause: 60 },
        ...{ members: [{ ref, expiresAt: null }], hook: { name: 'db', otherwise: 'fail' } },
      },
      restore: restoreStep({ ref, snapshot, running: true }),
    }
    const answer = async (id: typeof first) =>
      JSON.stringify([...(await relay.batch([{ id, steps: [steps[id]] }])).answers.values()])
    const one = answer(first)
    await it.world.clock.advance(it.world.clock.now() + ms)
    const other = await it.world.clock.settle(answer(first === 'group' ? 'restore' : 'group'))
    return { it, one: await it.world.clock.settle(one), other }
  }

  test.each([100, 2_000, 6_000])(
    '%i ms after the group has begun, nothing is restored, and the one after runs',
    async (ms) => {
      const { it, one, other } = await both('group', ms)
      expect(one).toContain('"ok":true')
      expect(other).toContain('hourly-20261120T0031Z of it is being taken')
      expect(it.guest.ran).toEqual(['begin web', 'end web'])
      expectEnded(it)
    },
  )

  test.each([100, 2_000, 6_000])('%i ms after the restore has begun, nothing is run', async (ms) => {
    const { it, one, other } = await both('restore', ms)
    expect(one).toContain('"ok":true')
    expect(other).toContain('restores it just now')
    expect(it.guest.ran).toEqual([])
    expect(web(it).snapshots.has('hourly-20261120T0031Z')).toBe(false)
  })
})
