/** Each finding of what the relay's own exam tells. */
import { describe, expect, test } from 'vitest'
import type { Examined, RelayFacts } from '../../../shared/doctor/examined.ts'
import type { Finding } from '../../../shared/doctor/finding.ts'
import type { StoreExam } from '../../../shared/relay/exam.ts'
import { err, ok } from '../../../shared/result.ts'
import { configOf } from '../policy/instances.ts'
import { diagnosisOf, factsOf, findingsOf, NOW, remoteExam, seenOn, spaceOf, WEB } from './examined.ts'

const silent = { ok: false, error: { code: 'unreachable', message: 'no route' } } as const
const inDays = (days: number): string => new Date(NOW.getTime() + days * 86_400_000 + 3_600_000).toISOString()

/** Of the main server, or of both. */
const withMain = (main: RelayFacts['remotes'][string]): Partial<RelayFacts> => ({
  remotes: { main, backup: remoteExam() },
})
const withPool = (space: ReturnType<typeof spaceOf> | null): Partial<RelayFacts> =>
  withMain({ ...remoteExam(), pools: { default: space } } as RelayFacts['remotes'][string])
const ends = (client: string | null, main: string | null = inDays(900)): Partial<RelayFacts> => ({
  certificates: { client, remotes: { main, backup: inDays(900) } },
})
const rights = (more: object): Partial<RelayFacts> =>
  withMain(remoteExam({ rights: { server: false, files: false, console: false, profiles: false, ...more } }))
const way = { from: { remote: 'backup', project: 'default', instance: 'web1' }, snapshot: 's1', to: 'main' }
const uncopied = { main: seenOn({ web1: {} }), backup: seenOn({}) }
const disk: Pick<StoreExam, 'type' | 'unfinished'> = { type: 'directory', unfinished: [] }

type Case = [
  Finding['code'],
  Finding['severity'],
  about: string | null,
  Partial<RelayFacts>,
  says: RegExp,
  more?: Partial<Examined>,
]

const CASES: Case[] = [
  ['relay-open', 'critical', null, { isShut: false }, /nobody had signed/],
  ['relay-untried', 'unknown', null, { isShut: null }, /could not be tried/],
  [
    'versions-differ',
    'warning',
    null,
    { version: '1.2.2' },
    /relay is stapes 1\.2\.2, and the Worker 1\.2\.3/,
  ],
  ['clock-off', 'info', null, { skew: 3 }, /3 s ahead of the Worker/],
  ['clock-off', 'warning', null, { skew: -9 }, /9 s behind the Worker/],
  ['clock-off', 'critical', null, { skew: 25 }, /25 s ahead of/],
  ['certificate-ends', 'warning', null, ends(inDays(20)), /client certificate ends at .* in 20 days/],
  [
    'certificate-ends',
    'critical',
    'main',
    ends(inDays(900), inDays(7)),
    /certificate of main ends .* in 7 days/,
  ],
  ['certificate-ends', 'critical', null, ends(inDays(-3)), /has ended/],
  ['certificate-unknown', 'unknown', 'main', ends(inDays(900), null), /isn't known/],
  [
    'space-low',
    'warning',
    'main/default',
    withPool(spaceOf(86)),
    /86 % of 10\d G\w*B in pool "default" of main/,
  ],
  ['space-low', 'critical', 'main/default', withPool(spaceOf(96)), /96 %/],
  ['space-ends', 'critical', 'main/default', withPool(spaceOf(80, 20)), /ends on 2026-11-25, in 3 days/],
  ['space-ends', 'warning', 'main/default', withPool(spaceOf(80, 70)), /ends on 2026-12-12, in 20 days/],
  ['space-ends', 'info', 'main/default', withPool(spaceOf(20, 10)), /ends on 2027-02-10, in 80 days/],
  ['space-ends', 'info', 'main/default', withPool({ ...spaceOf(20), samples: [] }), /is known once/],
  ['space-ends', 'info', 'main/default', withPool(spaceOf(20, 30)), /isn't growing/],
  ['space-ends', 'info', 'main/default', withPool(spaceOf(20, 19.99)), /hardly grows/],
  ['space-unknown', 'unknown', 'main/default', withPool(null), /could not be read/],
  ['space-unknown', 'unknown', 'main', withMain(silent), /could not be read/],
  [
    'space-unknown',
    'unknown',
    'nas',
    { stores: { nas: { ...disk, space: null, problem: 'EIO' } } },
    /store "nas" .*EIO/,
  ],
  ['space-low', 'critical', 'nas', { stores: { nas: { ...disk, space: spaceOf(99) } } }, /store "nas"/],
  [
    'store-left',
    'warning',
    'nas',
    { stores: { nas: { ...disk, space: spaceOf(9), unfinished: ['a/b.zst'] } } },
    /left 1 files in "nas": a\/b\.zst/,
  ],
  ['rights-wide', 'warning', 'main', rights({ server: true, files: true }), /may do everything on main/],
  [
    'rights-scriptlet',
    'info',
    'main/default',
    rights({ console: true, files: true }),
    /use files and console/,
  ],
  [
    'rights-unknown',
    'unknown',
    'main/default',
    rights({ profiles: null }),
    /use profiles in default on main isn't known/,
  ],
  ['rights-unknown', 'unknown', 'main', withMain(silent), /could not be tried/],
  [
    'reach-failed',
    'critical',
    'backup > main',
    { ways: [{ ...way, state: 'failed', reason: 'connection refused' }] },
    /backup can't reach main, as "pull" needs it: connection refused/,
  ],
  [
    'reach-unknown',
    'unknown',
    'backup > main',
    { ways: [{ ...way, state: 'unknown', reason: 'not allowed' }] },
    /could not be tried: not allowed/,
  ],
  ['reach-unknown', 'unknown', 'backup > main', { ways: [] }, /did not try it/],
  ['reach-unknown', 'unknown', 'backup > main', {}, /has no snapshot yet/, { remotes: uncopied }],
  [
    'profile-missing',
    'warning',
    'backup/default',
    { remotes: { main: remoteExam(), backup: remoteExam({ profiles: [] }) } },
    /no profile "default".*main\/default\/web1/,
    { remotes: uncopied },
  ],
  [
    'network-missing',
    'warning',
    'backup/default',
    { remotes: { main: remoteExam(), backup: remoteExam({ networks: [] }) } },
    /no network "lan".*main\/default\/web1/,
  ],
  [
    'needs-unknown',
    'unknown',
    'backup/default',
    { remotes: { main: remoteExam(), backup: remoteExam({ profiles: null }) } },
    /profiles can't be listed there/,
  ],
  [
    'needs-unknown',
    'unknown',
    'backup/default',
    { remotes: { main: remoteExam(), backup: remoteExam({ networks: null }) } },
    /networks can't be listed there/,
  ],
]

describe('there is', () => {
  test.each(CASES)('%s (%s) about %s, %#', (code, severity, about, facts, says, more = {}) => {
    expect(findingsOf(code, { relay: ok(factsOf(facts)), ...more })).toContainEqual(
      expect.objectContaining({
        severity,
        about,
        what: expect.stringMatching(says),
        cure: expect.stringMatching(/\w{3}/),
      }),
    )
  })
})

test('there is none of them where all is well, but how full pools are', () => {
  const codes = new Set(CASES.map(([code]) => code))
  const found = diagnosisOf().findings.filter(({ code }) => codes.has(code))
  expect(found.map(({ code, severity }) => [code, severity])).toEqual([
    ['space-ends', 'info'],
    ['space-ends', 'info'],
  ])
})

test('a profile that only lacks where the copy is there already is none', () => {
  const remotes = { main: remoteExam(), backup: remoteExam({ profiles: [] }) }
  expect(findingsOf('profile-missing', { relay: ok(factsOf({ remotes })) })).toEqual([])
})

test('where the relay passes the data on, no server has to reach another', () => {
  const config = configOf({
    daily: { keep: { daily: 7 }, copy: { remote: 'backup', transferMode: 'relay' } },
  })
  expect(findingsOf('reach-unknown', { config, relay: ok(factsOf({ ways: [] })) })).toEqual([])
})

describe('without an exam of the relay', () => {
  const old = err({ code: 'bad-request', status: 404, message: 'the relay has no such call' } as const)
  const none = err({ code: 'timeout', message: 'no answer' } as const)

  test.each([
    ['an earlier version', old, 'relay-old', 'unknown'],
    ['one that gives no answer', none, 'relay-silent', 'critical'],
  ] as const)('of %s, nothing is fine that it alone knows', (_, relay, code, severity) => {
    const { findings, fine } = diagnosisOf({ relay })
    expect(findings).toContainEqual(expect.objectContaining({ code, severity }))
    for (const area of ['certificates', 'space', 'rights', 'reach', 'needs']) expect(fine).not.toContain(area)
    expect(findings.some(({ about }) => about === WEB)).toBe(false)
  })
})
