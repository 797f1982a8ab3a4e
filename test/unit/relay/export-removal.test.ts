/** Which exports the relay removes, whoever asks. */
import { describe, expect, test } from 'vitest'
import {
  againstAskedRemoval,
  againstExportRemoval,
  type ExportRemoval,
  oldOf,
} from '../../../relay/engine/export-removal.ts'
import type { Surveyed } from '../../../relay/engine/exports.ts'
import type { Manifest } from '../../../shared/work/export/manifest.ts'
import { seededRandom } from '../../simulation/random.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-11-30T04:00:00Z')
const OURS = '1.nonce.key'

const nameOf = (at: number): string => new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')

/** So many days old. */
function one(days: number, more: Partial<Manifest> = {}, state: Partial<Surveyed> = {}): Surveyed {
  const at = NOW - days * DAY
  const text = new Date(at).toISOString()
  return {
    manifest: {
      ...{
        stapes: 'export 1',
        instance: 'main/default/web1',
        name: nameOf(at),
        madeAt: text,
        incus: '7.0.2',
      },
      ...{ snapshot: { name: 's', createdAt: text }, type: 'container', driver: 'dir', optimized: false },
      archive: { bytes: 1, sha256: '0'.repeat(64), entries: 1 },
      stored: {
        ...{ file: 'f', bytes: 1, sha256: '0'.repeat(64), compression: 'zstd' },
        ...{ encryption: null, recipients: [] },
      },
      leftOut: { config: {}, devices: {} },
      ...{ policy: 'p', owner: OURS },
      ...more,
    },
    ...{ age: null, until: null, held: false },
    ...state,
  }
}

function without(key: 'policy' | 'owner', { manifest, ...state }: Surveyed): Surveyed {
  const { [key]: _, ...rest } = manifest
  return { ...state, manifest: rest }
}

const WEEK = [0.1, 1.1, 2.1, 3.1, 4.1, 5.1, 6.1].map((days) => one(days))

function asked(
  wanted: Surveyed,
  exports: readonly Surveyed[],
  more: Partial<ExportRemoval> = {},
): string | null {
  const { name } = wanted.manifest
  const removal = { name, policy: 'p', owner: OURS, exports, minRetention: 86_400, now: NOW }
  return againstExportRemoval({ ...removal, isBad: () => false, most: 0, ...more })
}

const oldest = WEEK.at(-1) as Surveyed
const [newest] = WEEK as [Surveyed]

test('an old export of the policy goes', () => {
  expect(asked(oldest, WEEK)).toBeNull()
  expect(asked(one(1.1), [one(0.1), one(1.1)])).toBeNull()
})

describe('stays', () => {
  test.each([
    ['on request', without('policy', one(8)), /whoever asked/],
    ['of another policy', one(8, { policy: 'q' }), /policy q had it made/],
    ['of another installation', one(8, { owner: '2.other.elsewhere' }), /another installation/],
    ['of an unknown installation', without('owner', one(8)), /another installation/],
    ['that is held', one(8, {}, { held: true }), /it is held/],
    ['that its store keeps', one(8, {}, { until: NOW + DAY }), /its store keeps it until 2026-12-01T04/],
    ['that its store says is young', one(8, {}, { age: DAY / 2 }), /minRetention/],
    ['whose age isn’t known', one(8, { madeAt: 'x' }), /newest/],
  ])('one %s', (_, wanted, why) => {
    expect(asked(wanted, [...WEEK, wanted])).toMatch(why)
  })

  test('one that isn’t there as it was', () => {
    expect(asked(one(9), WEEK)).toMatch(/no whole export/)
  })

  test('the newest, also as the only one, or where newer ones are not what was stored', () => {
    expect(asked(newest, WEEK, { minRetention: 0 })).toMatch(/newest/)
    expect(asked(oldest, [oldest])).toMatch(/newest/)
    const isBad = (name: string): boolean => name !== oldest.manifest.name
    expect(asked(oldest, WEEK, { isBad })).toMatch(/newest/)
    // One that is not what was stored keeps nothing, and goes only beside one that is.
    expect(asked(oldest, WEEK, { isBad: (name) => name === oldest.manifest.name })).toBeNull()
    expect(asked(oldest, [oldest], { isBad: () => true })).toMatch(/newest/)
  })

  test('the newest, where another one has a date in the future, or an old snapshot', () => {
    const good = one(3)
    const future = one(0.1, { name: '20991122T030000Z' })
    expect(asked(good, [future, good, one(5)])).toMatch(/newest/)
    const stale = one(0.1, { snapshot: { name: 'old', createdAt: '2020-01-01T00:00:00Z' } })
    expect(asked(good, [stale, good, one(5)])).toMatch(/newest/)
    expect(asked(one(5), [stale, good, one(5)])).toBeNull()
  })

  test('the newest of the policy, also where somebody has asked for a newer one', () => {
    const wish = without('policy', one(0.1))
    expect(asked(one(3), [wish, one(3), one(4)])).toMatch(/newest/)
  })

  test('one that is younger than its store keeps them at least', () => {
    expect(asked(oldest, WEEK, { minRetention: 30 * 86_400 })).toMatch(/until 2026-12-24/)
    expect(asked(oldest, WEEK, { minRetention: 6 * 86_400 })).toBeNull()
  })

  test('half of the old ones within a day, however many young ones somebody has made', () => {
    const few = [...WEEK.slice(0, 3), oldest]
    expect(asked(oldest, few, { most: 6 })).toMatch(/6 exports .* at least 3 of them/)
    expect(asked(oldest, few, { most: 4 })).toBeNull()
    const young = Array.from({ length: 30 }, (_, at) => one(at / 100))
    expect(asked(oldest, [...young, ...few], { most: 6 })).toMatch(/at least 3/)
    expect(oldOf({ name: '', policy: 'p', owner: OURS, exports: young, minRetention: 0, now: NOW })).toEqual(
      [],
    )
  })
})

test.each(Array.from({ length: 30 }, (_, seed) => seed))(
  'whatever is asked within a day, by chance, the newest whole one stays, all young ones and half of the old ones (seed %i)',
  (seed) => {
    const random = seededRandom(seed + 1)
    const days = Array.from({ length: 4 + Math.floor(random() * 12) }, () => random() * 20)
    const all = [...new Set(days.map((day) => Math.round(day * 100) / 100))].map((day) =>
      one(day, random() < 0.2 ? { policy: 'q' } : {}, random() < 0.1 ? { held: true } : {}),
    )
    const bad = new Set(all.filter(() => random() < 0.2).map(({ manifest }) => manifest.name))
    const isBad = (name: string): boolean => bad.has(name)
    const ofPolicy = (some: readonly Surveyed[]) => some.filter(({ manifest }) => manifest.policy === 'p')
    const oldIn = (some: readonly Surveyed[]) =>
      ofPolicy(some).filter(({ manifest }) => NOW - Date.parse(manifest.madeAt) >= DAY)
    let left: readonly Surveyed[] = all
    for (let tries = 0; tries < 200; tries++) {
      const wanted = all[Math.floor(random() * all.length)] as Surveyed
      const most = oldIn(all).length
      if (asked(wanted, left, { isBad, most, minRetention: 3 * 86_400 }) === null)
        left = left.filter((other) => other !== wanted)
    }
    const gone = all.filter((each) => !left.includes(each))
    for (const { manifest, held } of gone) {
      expect(manifest.policy).toBe('p')
      expect(held).toBe(false)
      expect(NOW - Date.parse(manifest.madeAt)).toBeGreaterThanOrEqual(3 * DAY)
    }
    const newestOf = (some: readonly Surveyed[]): string | undefined =>
      some
        .filter(({ manifest }) => !isBad(manifest.name))
        .map(({ manifest }) => manifest.madeAt)
        .sort()
        .at(-1)
    expect(newestOf(left)).toBe(newestOf(all))
    expect(newestOf(ofPolicy(left))).toBe(newestOf(ofPolicy(all)))
    expect(oldIn(left).length).toBeGreaterThanOrEqual(Math.floor(oldIn(all).length / 2))
  },
)

test('and by chance some do go', () => {
  expect(asked(one(5.5), [one(0.1), one(2), one(4), one(5.5)], { minRetention: 3 * 86_400 })).toBeNull()
})

describe('by its name', () => {
  const standing = { held: null, freed: null, removal: null }
  const going = (days: number, more: object = {}, last = false): Surveyed =>
    one(days, {}, { said: { ...standing, removal: { end: NOW - 1, last }, ...more } })
  const dropped = (wanted: Surveyed, exports: readonly Surveyed[], more: object = {}): string | null =>
    againstAskedRemoval({
      ...{ name: wanted.manifest.name, exports, minRetention: 86_400, now: NOW, isBad: () => false },
      ...{ most: 0, last: false, mayLast: true, isDue: true },
      ...more,
    })

  test('one goes once its removal is due, whoever had it made', () => {
    const wanted = without('policy', going(6))
    expect(dropped(wanted, [...WEEK, wanted])).toBeNull()
  })

  test.each<[string, Surveyed, object, RegExp]>([
    ['of which nobody says so', one(6.5), {}, /nobody has it removed, or that was taken back/],
    ['before its time', going(6, { removal: { end: NOW + 1, last: false } }), {}, /can be taken back/],
    ['that is held', going(6, { held: 'audit' }), {}, /it is held: audit/],
    ['that was held until lately', going(6, { freed: NOW + 1 }), {}, /until lately/],
    ['that its store holds', { ...going(6), held: true }, {}, /held in its store/],
    ['that its store keeps', { ...going(6), until: NOW + DAY }, {}, /its store keeps it until/],
    ['that is young', going(6), { minRetention: 30 * 86_400 }, /minRetention/],
    ['beyond half of the old ones', going(6), { most: 40 }, /40 exports of it .* at least 20/],
  ])('not one %s', (_, wanted, more, why) => {
    expect(dropped(wanted, [...WEEK, wanted], more)).toMatch(why)
  })

  test('the newest whole one only if that was said, and may be; what is going is no other one', () => {
    const last = going(0.01, {}, true)
    const all = { minRetention: 0 }
    const unsaid = going(0.01)
    expect(dropped(unsaid, [...WEEK, unsaid], all)).toMatch(/only if that is asked for/)
    expect(dropped(last, [...WEEK, last], { ...all, mayLast: false })).toMatch(/"removeLast"/)
    expect(dropped(last, [...WEEK, last], all)).toBeNull()
    const others = WEEK.map((each) => ({
      ...each,
      said: { ...standing, removal: { end: NOW + DAY, last: false } },
    }))
    const wanted = going(8)
    expect(dropped(wanted, [...others, wanted], all)).toMatch(/only if that is asked for by "last"/)
    // A policy doesn't take the last one either that nobody has removed.
    expect(
      asked(
        oldest,
        others.map((each, at) => (at === 6 ? oldest : each)),
        all,
      ),
    ).toMatch(/newest/)
  })
})
