/**
 * Each invariant bites: a piece of the product is replaced by one that is wrong in one way, and the very
 * scene that passes with the true piece must then violate the named invariant.
 */
import { vi } from 'vitest'
import type { JobAnswer } from '../../functions/incus/relay.ts'
import type { RemoteReply } from '../../shared/relay/protocol.ts'
import { ok } from '../../shared/result.ts'
import { instanceOf, write } from '../emulator/scene.ts'
import { proveThatTheyBite, type Variant } from './bites.ts'
import { failureStaysApart, type InvariantName } from './invariants.ts'
import { COVERED, DAY, every, HOUR, MINUTE, type Simulation, simulate, usual } from './scenes.ts'
import type { World } from './world.ts'

const broken = vi.hoisted(() => ({ how: null as string | null, now: (): number => 0 }))

vi.mock('../../shared/incus/snapshot-name.ts', async (original) => {
  const real = await original<typeof import('../../shared/incus/snapshot-name.ts')>()
  const snapshotName: typeof real.snapshotName = (name) =>
    real.snapshotName(
      broken.how === 'names from the clock' ? { ...name, slot: new Date(broken.now()) } : name,
    )
  return { ...real, snapshotName }
})

vi.mock('../../shared/retention/sorter.ts', async (original) => {
  const real = await original<typeof import('../../shared/retention/sorter.ts')>()
  const gone = (name: string) => ({ name, reason: 'broken' })
  const createSorter: typeof real.createSorter = (now) => {
    const sorter = real.createSorter(now)
    return {
      sort(policy, keep, snapshots, held, before) {
        const right = sorter.sort(policy, keep, snapshots, held, before)
        const mine = snapshots.map(([name]) => name).filter((name) => name.startsWith(`${policy.name}-2`))
        if (broken.how === 'no rail for the newest')
          return { keep: [], expire: mine.sort().slice(-1).map(gone) }
        if (broken.how === 'one day is kept too little' && right.keep.length > 1)
          return { keep: right.keep.slice(0, -1), expire: right.keep.slice(-1).map(({ name }) => gone(name)) }
        if (broken.how !== 'what begins like ours is ours') return right
        const alike = snapshots.filter(([name]) => name.startsWith(`${policy.name}-by`))
        return { ...right, expire: [...right.expire, ...alike.map(([name]) => gone(name))] }
      },
    }
  }
  const expiredOf: typeof real.expiredOf = (retention, needed) =>
    real.expiredOf(retention, broken.how === 'no rail for the common one' ? new Map() : needed)
  return { ...real, createSorter, expiredOf }
})

/** The relay would refuse to delete what isn't ours; here it doesn't look. */
vi.mock('../../relay/engine/guard.ts', async (original) => {
  const real = await original<typeof import('../../relay/engine/guard.ts')>()
  const guard: typeof real.guard = async (...question) =>
    broken.how === 'what begins like ours is ours' ? ok(null) : real.guard(...question)
  return { ...real, guard }
})

/** Nor would the relay's rules let it. */
vi.mock('../../relay/engine/removal.ts', async (original) => {
  const real = await original<typeof import('../../relay/engine/removal.ts')>()
  const againstRemoval: typeof real.againstRemoval = async (...question) =>
    broken.how === 'what begins like ours is ours' ? ok(null) : real.againstRemoval(...question)
  return { ...real, againstRemoval }
})

/** Nor would it count as new what was there before the transfer. */
vi.mock('../../relay/engine/steps/copy-guard.ts', async (original) => {
  const real = await original<typeof import('../../relay/engine/steps/copy-guard.ts')>()
  const againstCopy: typeof real.againstCopy = (...question) =>
    broken.how === 'what was not verified stays' ? null : real.againstCopy(...question)
  return { ...real, againstCopy }
})

/** Nor would it mark what no transfer is known to have brought. */
vi.mock('../../relay/engine/arrivals.ts', async (original) => {
  const real = await original<typeof import('../../relay/engine/arrivals.ts')>()
  const createArrivals: typeof real.createArrivals = () => {
    const arrivals = real.createArrivals()
    const has: typeof arrivals.has = (...asked) =>
      broken.how === 'an end is believed to be a success' || arrivals.has(...asked)
    return { ...arrivals, has }
  }
  return { ...real, createArrivals }
})

vi.mock('../../shared/work/copy/judge.ts', async (original) => {
  const real = await original<typeof import('../../shared/work/copy/judge.ts')>()
  const judge: typeof real.judge = (judging) => {
    const { seen, now } = judging
    const right = real.judge(judging)
    if (broken.how !== 'an end is believed to be a success' || right.phase !== 'broken') return right
    if (seen.state !== 'there') return right
    const marks = [...(seen.record.snapshots ?? [])]
    const entry = { state: 'verified' as const, attempts: 0, at: now.toISOString() }
    return { phase: 'completed', entry, marks, fresh: [], rest: [], memo: { through: 0, extended: {} } }
  }
  return { ...real, judge }
})

vi.mock('../../shared/work/copy/start.ts', async (original) => {
  const real = await original<typeof import('../../shared/work/copy/start.ts')>()
  const startCopy: typeof real.startCopy = (context, seen, refused) => {
    const right = real.startCopy(context, seen, refused)
    if (broken.how === 'a copy is given up' && (context.starting.entry?.attempts ?? 0) > 0)
      return { state: 'wait', reason: 'it is given up', until: null }
    if (broken.how !== 'what was not verified stays' || right.state !== 'start') return right
    return { state: 'start', action: { ...right.action, unverified: [] } }
  }
  return { ...real, startCopy }
})

vi.mock('../../shared/work/snapshot/open-slot.ts', async (original) => {
  const real = await original<typeof import('../../shared/work/snapshot/open-slot.ts')>()
  const advance: typeof real.advance = (...question) => {
    const right = real.advance(...question)
    if (broken.how !== 'missed slots are forgotten') return right
    const slots = right.ledger.slots.filter(({ outcome }) => outcome !== 'missed')
    return { ...right, ledger: { ...right.ledger, slots } }
  }
  return { ...real, advance }
})

vi.mock('../../shared/promise/verdict.ts', async (original) => {
  const real = await original<typeof import('../../shared/promise/verdict.ts')>()
  const verdictOf: typeof real.verdictOf = (known) => {
    const right = real.verdictOf(known)
    return broken.how === 'all is always called well' ? { ...right, tone: 'good' } : right
  }
  return { ...real, verdictOf }
})

/** A remote that gives no answer is told as one without instances. */
function readAsEmpty({ places }: World): void {
  const server = { fingerprint: '', version: '', clustered: false }
  const nothing: RemoteReply = {
    ok: true,
    inventory: { server, projects: ['default'], pools: {}, instances: [], operations: [] },
  }
  for (const io of places) {
    const { relay } = io
    const inventory: typeof relay.inventory = async (request) => {
      const reply = await relay.inventory(request)
      if (broken.how !== 'no answer is an empty answer' || !reply.ok) return reply
      const remotes = Object.entries(reply.value.remotes).map(([name, answer]) => [
        name,
        answer.ok ? answer : nothing,
      ])
      return ok({ ...reply.value, remotes: Object.fromEntries(remotes) })
    }
    io.relay = { ...relay, inventory }
  }
}

/** One job after the other, and none after the first that fails. */
function stopAtFailure({ places }: World): void {
  for (const io of places) {
    const { relay } = io
    const batch: typeof relay.batch = async (jobs) => {
      if (broken.how !== 'the first failure ends the run') return relay.batch(jobs)
      const all = { answers: new Map<string, JobAnswer>(), error: null }
      for (const job of jobs) {
        const { answers } = await relay.batch([job])
        const answer = answers.get(job.id)
        if (answer === undefined) break
        all.answers.set(job.id, answer)
        if (answer !== 'accepted' && answer.some(({ ok }) => !ok)) break
      }
      return all
    }
    io.relay = { ...relay, batch }
  }
}

const start = new Date('2026-11-20T00:00:30Z')
const after = (ms: number): Date => new Date(start.getTime() + ms)

async function begin(days: number, policies?: object): Promise<Simulation> {
  const setting = usual(start, after(days * DAY))
  const simulation = await simulate({ ...setting, ...policies })
  broken.now = () => simulation.world.clock.now()
  return simulation
}

async function lostLedger(): Promise<void> {
  const { hourly, daily } = { hourly: every(HOUR, start, after(DAY)), daily: [] }
  const policies = { hourly: { schedule: '@hourly', keep: { last: 1 } } }
  const { world, pass, watch } = await begin(1, { policies, calendar: { hourly, daily } })
  await pass(after(3.5 * HOUR))
  world.kv.wipe(['ledger'])
  await pass(after(8 * HOUR), 'ticked')
  watch.step()
}

async function twoDays(): Promise<void> {
  const { pass, watch } = await begin(2)
  await pass(after(2 * DAY))
  watch.end()
}

/** A copy of one policy that keeps a single snapshot, to a server that is away for two nights. */
async function targetAway(): Promise<void> {
  const daily = { schedule: '0 3 * * *', keep: { last: 1 }, copy: { remote: 'backup' } }
  const calendar = { daily: every(DAY, start, after(5 * DAY), 3 * HOUR) }
  const { world, pass, watch } = await begin(5, { policies: { daily }, calendar })
  await pass(after(DAY))
  world.incus.backup.kill()
  await pass(after(3 * DAY))
  world.incus.backup.start()
  await pass(after(5 * DAY))
  watch.end()
}

async function killedInRefresh(): Promise<void> {
  const { world, pass, watch } = await begin(3)
  world.incus.main.bandwidth = 3e6
  await pass(after(DAY))
  for (const name of COVERED) write(instanceOf(world.incus.main, { name }), `${name} 1`, 600e6)
  await pass(after(DAY + 3 * HOUR), 'ticked')
  while (world.incus.backup.transfers.size === 0) await pass(new Date(world.clock.now() + MINUTE), 'ticked')
  await world.clock.advance(world.clock.now() + 30_000)
  world.incus.backup.kill()
  await pass(new Date(world.clock.now() + 2 * MINUTE), 'ticked')
  world.incus.backup.start()
  await pass(after(3 * DAY))
  watch.end()
}

async function sourceAway(): Promise<void> {
  const { world, pass, watch } = await begin(1)
  readAsEmpty(world)
  await pass(after(5.5 * HOUR))
  world.incus.main.kill()
  await pass(after(8 * HOUR), 'ticked')
  world.incus.main.start()
  await pass(after(DAY))
  watch.end()
}

async function outage(): Promise<void> {
  const { world, pass, watch } = await begin(3)
  await pass(after(9 * HOUR))
  await world.clock.advance(after(2 * DAY))
  await pass(after(3 * DAY))
  watch.end()
}

async function awayAtNight(): Promise<void> {
  const { world, pass, watch } = await begin(2)
  await pass(after(2.5 * HOUR))
  world.incus.backup.kill()
  await pass(after(4 * HOUR), 'ticked')
  world.incus.backup.start()
  await pass(after(2 * DAY))
  watch.end()
}

async function oneRefuses(): Promise<void> {
  const worlds = []
  for (const failing of [false, true]) {
    const simulation = await begin(1)
    stopAtFailure(simulation.world)
    if (failing)
      simulation.world.incus.main.faults = ({ method, path }) =>
        method === 'POST' && path.startsWith('/1.0/instances/db/snapshots')
          ? { before: { status: 500, error: 'No space left on device' } }
          : null
    await simulation.pass(after(DAY))
    worlds.push(simulation)
  }
  const [calm, troubled] = worlds
  if (calm === undefined || troubled === undefined) throw new Error('both worlds have passed')
  failureStaysApart(troubled, calm.world, 'db', 'daily')
}

const variants: Variant<InvariantName | 'failureStaysApart'>[] = [
  { how: 'names from the clock', violates: 'oneSnapshotPerSlot', scene: lostLedger },
  { how: 'what begins like ours is ours', violates: 'nothingForeignTouched', scene: twoDays },
  { how: 'no rail for the newest', violates: 'newestStays', scene: lostLedger },
  { how: 'no rail for the common one', violates: 'newestCommonStays', scene: targetAway },
  { how: 'no answer is an empty answer', violates: 'everySlotEnds', scene: sourceAway },
  { how: 'one day is kept too little', violates: 'whatRetentionKeepsStays', scene: twoDays },
  { how: 'an end is believed to be a success', violates: 'onlyVerifiedCounts', scene: killedInRefresh },
  { how: 'what was not verified stays', violates: 'onlyVerifiedCounts', scene: killedInRefresh },
  { how: 'missed slots are forgotten', violates: 'everySlotEnds', scene: outage },
  { how: 'a copy is given up', violates: 'converges', scene: awayAtNight },
  { how: 'all is always called well', violates: 'wellOnlyIfKept', scene: sourceAway },
  { how: 'the first failure ends the run', violates: 'failureStaysApart', scene: oneRefuses },
]

proveThatTheyBite(variants, broken)
