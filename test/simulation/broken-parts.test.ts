/**
 * As broken.test.ts, for exports, custom volumes and groups: each of their invariants bites where one piece of the product is
 * wrong in one way.
 */
import { vi } from 'vitest'
import { ok } from '../../shared/result.ts'
import { proveThatTheyBite, type Variant } from './bites.ts'
import type { InvariantName } from './invariants.ts'
import { DAY, everything, HOUR, simulate, volumeAlone } from './scenes.ts'

const broken = vi.hoisted(() => ({ how: null as string | null }))

vi.mock('../../shared/policy/together.ts', async (original) => {
  const real = await original<typeof import('../../shared/policy/together.ts')>()
  const groupsIn: typeof real.groupsIn = (coverage) =>
    broken.how === 'each of a group is taken by itself' ? [] : real.groupsIn(coverage)
  return { ...real, groupsIn }
})

vi.mock('../../relay/engine/pausing.ts', async (original) => {
  const real = await original<typeof import('../../relay/engine/pausing.ts')>()
  const resume: typeof real.resume = async (...question) =>
    broken.how === 'nothing runs again' ? ok(null) : real.resume(...question)
  return { ...real, resume }
})

vi.mock('../../shared/work/export/look.ts', async (original) => {
  const real = await original<typeof import('../../shared/work/export/look.ts')>()
  const addLook: typeof real.addLook = (before, answers, looking) => {
    const world = real.addLook(before, answers, looking)
    const places = [...(world.exports ?? [])]
    if (broken.how === 'what a store has is taken for nothing')
      return {
        ...world,
        exports: new Map(
          places.map(([key, seen]) => [key, seen.name === null ? { ...seen, rows: [] } : seen]),
        ),
      }
    if (broken.how !== 'what was begun counts as made') return world
    const made = places.map(([key, seen]): (typeof places)[number] => {
      const entry = Object.values(looking.ledger.work).find((one) => 'name' in one && one.name === seen.name)
      const { snapshot = '', store = '' } = (entry ?? {}) as { snapshot?: string; store?: string }
      if (seen.name === null || seen.rows?.length !== 0) return [key, seen]
      const of = { name: snapshot, createdAt: '2026-11-20T00:00:00Z' }
      const row = { name: seen.name, snapshot: of, store, madeAt: of.createdAt, bytes: 1, sha256: '' }
      return [key, { ...seen, rows: [{ ...row, optimized: false, encrypted: false }] }]
    })
    return { ...world, exports: new Map(made) }
  }
  return { ...real, addLook }
})

vi.mock('../../shared/work/export/due.ts', async (original) => {
  const real = await original<typeof import('../../shared/work/export/due.ts')>()
  const toLookFor: typeof real.toLookFor = (wanting) =>
    broken.how === 'no store is looked into'
      ? []
      : broken.how === 'what a store has is taken for nothing'
        ? real.wantedExports(wanting)
        : real.toLookFor(wanting)
  return { ...real, toLookFor }
})

vi.mock('../../shared/work/thinning/sort.ts', async (original) => {
  const real = await original<typeof import('../../shared/work/thinning/sort.ts')>()
  const sortedFor: typeof real.sortedFor = (wanted, survey, context) => {
    const right = real.sortedFor(wanted, survey, context)
    const going = (rows: typeof survey.rows) =>
      rows.map(({ name, snapshot }) => ({ name, snapshot: snapshot.name, reason: 'broken' }))
    const own = survey.rows.filter(({ policy, owner }) => policy === wanted.policy && owner !== 'another')
    if (broken.how === 'the newest export goes') return { ...right, going: going(own.slice(0, 1)) }
    if (broken.how === 'an export is kept too little') return { ...right, going: going(own.slice(1, 2)) }
    if (broken.how !== 'what others exported is ours') return right
    return { ...right, going: going(survey.rows.filter(({ owner }) => owner === 'another')) }
  }
  return { ...real, sortedFor }
})

/** The relay would refuse to remove these. */
vi.mock('../../relay/engine/export-removal.ts', async (original) => {
  const real = await original<typeof import('../../relay/engine/export-removal.ts')>()
  const ways = ['the newest export goes', 'an export is kept too little', 'what others exported is ours']
  const againstExportRemoval: typeof real.againstExportRemoval = (removal) =>
    ways.includes(broken.how ?? '') ? null : real.againstExportRemoval(removal)
  return { ...real, againstExportRemoval }
})

vi.mock('../../relay/engine/temporaries.ts', async (original) => {
  const real = await original<typeof import('../../relay/engine/temporaries.ts')>()
  const createTemporaries: typeof real.createTemporaries = (...known) => {
    const temporaries = real.createTemporaries(...known)
    return broken.how === 'what an export is made from stays'
      ? { ...temporaries, end: async () => {} }
      : temporaries
  }
  return { ...real, createTemporaries }
})

vi.mock('../../shared/retention/sorter.ts', async (original) => {
  const real = await original<typeof import('../../shared/retention/sorter.ts')>()
  const createSorter: typeof real.createSorter = (now) => {
    const sorter = real.createSorter(now)
    return {
      sort(...question) {
        const right = sorter.sort(...question)
        const [{ name: policy }, , snapshots] = question
        const gone = (name: string) => ({ name, reason: 'broken' })
        const mine = snapshots.map(([name]) => name).filter((name) => name.startsWith(`${policy}-2`))
        if (broken.how === 'the newest of a volume goes')
          return { keep: [], expire: mine.sort().slice(-1).map(gone) }
        if (broken.how !== 'a volume is kept too little' || right.keep.length < 2) return right
        return { keep: right.keep.slice(0, -1), expire: right.keep.slice(-1).map(({ name }) => gone(name)) }
      },
    }
  }
  return { ...real, createSorter }
})

const start = new Date('2026-11-20T00:00:30Z')
const after = (ms: number): Date => new Date(start.getTime() + ms)

/** All of it, for so many hours. */
async function hours(count: number): Promise<void> {
  const until = after(count * HOUR)
  const { pass, watch } = await simulate(everything(start, until))
  await pass(until)
  watch.end()
}

const aDay = (): Promise<void> => hours(26)
const halfADay = (): Promise<void> => hours(9)

async function storeFails(): Promise<void> {
  const until = after(12 * HOUR)
  const { world, pass, watch } = await simulate(everything(start, until))
  await pass(after(8 * HOUR))
  world.stores.failure = 'store "nas": no space left'
  await pass(after(9 * HOUR))
  world.stores.failure = null
  await pass(until)
  watch.end()
}

/** The ledger is lost, so that the newest slot is served again. */
async function volumeWithoutLedger(): Promise<void> {
  const until = after(8 * HOUR)
  const { world, pass, watch } = await simulate(volumeAlone(start, until))
  await pass(after(3.5 * HOUR))
  world.kv.wipe(['ledger'])
  await pass(until, 'ticked')
  watch.step()
}

async function volumeForTwoDays(): Promise<void> {
  const until = after(2 * DAY)
  const { pass, watch } = await simulate(volumeAlone(start, until))
  await pass(until)
  watch.end()
}

const variants: Variant<InvariantName>[] = [
  { how: 'each of a group is taken by itself', violates: 'onlyWholeGroupsCount', scene: halfADay },
  { how: 'nothing runs again', violates: 'nothingStaysFrozen', scene: halfADay },
  { how: 'what a store has is taken for nothing', violates: 'oneExportPerSlot', scene: halfADay },
  { how: 'what was begun counts as made', violates: 'onlyMadeExportsCount', scene: storeFails },
  { how: 'no store is looked into', violates: 'exportsConverge', scene: halfADay },
  { how: 'the newest export goes', violates: 'newestExportStays', scene: aDay },
  { how: 'an export is kept too little', violates: 'newestExportStays', scene: aDay },
  { how: 'what others exported is ours', violates: 'nothingForeignTouched', scene: halfADay },
  { how: 'what an export is made from stays', violates: 'nothingStaysBehind', scene: aDay },
  { how: 'the newest of a volume goes', violates: 'newestStays', scene: volumeWithoutLedger },
  { how: 'a volume is kept too little', violates: 'whatRetentionKeepsStays', scene: volumeForTwoDays },
]

proveThatTheyBite(variants, broken)
