/** What a look shows of each promise, and what stays as it was known before. */
import { describe, expect, test } from 'vitest'
import { emptyLedger } from '../../../shared/ledger/ledger.ts'
import { worldOf } from '../../../shared/plan/world.ts'
import { coverInstances } from '../../../shared/policy/coverage.ts'
import { type Facts, isNews, parseFacts, withFormer } from '../../../shared/promise/facts.ts'
import { withOutcomes } from '../../../shared/promise/record.ts'
import { verdictOf } from '../../../shared/promise/verdict.ts'
import { witness } from '../../../shared/promise/witness.ts'
import type { RemoteReply } from '../../../shared/relay/protocol.ts'
import { configOf, recordOf, replyOf, type Sketch } from '../policy/instances.ts'

const WEB = 'main/default/web'
const NOW = new Date('2026-11-22T03:10:00Z')
const at = (time: string): number => Date.parse(`2026-11-22T${time}Z`) / 1000
const A: [string, number] = ['hourly-20261122T0100Z', at('01:00:05')]
const B: [string, number] = ['hourly-20261122T0200Z', at('02:00:05')]
const C: [string, number] = ['hourly-20261122T0300Z', at('03:00:05')]
const text = ([name, seconds]: [string, number]): string => `${name}@${seconds}`
const silent: RemoteReply = { ok: false, error: { code: 'unreachable', message: 'no route' } }

const CONFIG = configOf({ hourly: { select: { instances: ['web'] }, copy: { remote: 'backup' } } })

const copy = (verified: [string, number][], snapshots: [string, number][] | null = verified) =>
  recordOf('web', {
    own: { 'user.stapes.replica-of': WEB, 'user.stapes.verified': verified.map(text).join(' ') },
    snapshots,
  })

type Shown = { main?: RemoteReply | Sketch; backup?: RemoteReply; others?: ReturnType<typeof recordOf>[] }

function look({ main = {}, backup = replyOf([]), others = [] }: Shown, before: Facts | null = null): Facts {
  const source = 'ok' in main ? (main as RemoteReply) : replyOf([recordOf('web', main as Sketch), ...others])
  const remotes = { main: source, backup }
  const world = worldOf({ remotes, jobs: [] })
  const coverages = coverInstances(CONFIG, remotes)
  return witness({ coverages, world, ledger: emptyLedger('v1'), before }, NOW)
}
const web = (facts: Facts) => facts.subjects.hourly?.[WEB]
const place = 'backup/default/web'

describe('a look', () => {
  test('notes some of very many that no policy covers, and says that there are more', () => {
    const others = Array.from({ length: 2_000 }, (_, at) => recordOf(`stray-${at}`))
    const facts = look({ others })
    expect(facts.uncovered?.['main/default']?.split(' ')).toHaveLength(500)
    const applied = { version: 'v1', appliedAt: NOW.toISOString() }
    const { policies } = CONFIG
    const { conditions } = verdictOf({ policies, applied, ledger: emptyLedger('v1'), facts, now: NOW })
    expect(conditions.map(({ text }) => text).join()).toContain('and at least 495 more. Select them')
  })

  test('notes what the relay misses on the copy, and keeps that while the backup server is silent', () => {
    const main = { snapshots: [A, B, C] }
    const there = replyOf([copy([B, C])])
    if (there.ok) there.inventory.lost = [`default/web/${text(A)}`, `default/other/${text(A)}`]
    const facts = look({ main, backup: there })
    expect(web(facts)?.missing).toBe(text(A))
    const applied = { version: 'v1', appliedAt: NOW.toISOString() }
    const { policies } = CONFIG
    const { conditions } = verdictOf({ policies, applied, ledger: emptyLedger('v1'), facts, now: NOW })
    expect(conditions.filter(({ id }) => id.startsWith('lost'))).toMatchObject([
      {
        id: `lost ${place}`,
        severity: 'warning',
        text: expect.stringContaining(
          `${A[0]} is gone from the copy ${place}, and stapes did not remove it: `,
        ),
      },
    ])
    expect(web(look({ main, backup: silent }, facts))?.missing).toBe(text(A))
    expect(web(look({ main, backup: replyOf([copy([B, C])]) }, facts))?.missing).toBeUndefined()
  })

  test('names what somebody has left out, by who or what did, and keeps that while its server is silent', () => {
    const others = [
      recordOf('lab', { own: { 'user.stapes.exclude': 'true' } }),
      recordOf('old', { profile: { 'user.stapes.exclude': 'true' } }),
      recordOf('stray'),
    ]
    const facts = look({ others })
    expect(facts.leftOut).toEqual({
      'excluded by its own user.stapes.exclude': 'main/default/lab',
      "excluded by a profile's user.stapes.exclude": 'main/default/old',
    })
    expect(facts.uncovered).toEqual({ 'main/default': 'stray' })
    expect(look({ main: silent }, facts).leftOut).toEqual(facts.leftOut)
  })

  test('names instances of which Incus takes snapshots as well, by schedule, and keeps that while its server is silent', () => {
    const scheduled = { schedule: '@daily', expiry: '' }
    const facts = look({ main: { scheduled }, others: [recordOf('stray', { scheduled })] })
    expect(facts.scheduled).toEqual({ '@daily / ': WEB })
    expect(look({ main: silent }, facts).scheduled).toEqual(facts.scheduled)
    expect(look({}, facts)).not.toHaveProperty('scheduled')
    expect(parseFacts(JSON.parse(JSON.stringify(facts))).facts).toEqual(facts)
  })

  test('shows the newest whole snapshot of the policy, and the newest verified one that the copy lists', () => {
    const main = { snapshots: [A, B, C, ['by-hand', at('03:05:00')]] as [string, number][] }
    const facts = look({ main, backup: replyOf([copy([A, B, C], [A, B])]) })
    expect(web(facts)).toEqual({ taken: text(C), place, copied: text(B) })
    expect(facts.at).toBe(NOW.toISOString())
  })

  test('shows since when it is covered, until all is there that is promised', () => {
    expect(web(look({}))).toEqual({ place, since: NOW.toISOString() })
    const before = look({})
    before.subjects.hourly = { [WEB]: { since: '2026-11-22T01:00:00.000Z' } }
    expect(web(look({ main: { snapshots: [C] } }, before))).toEqual({
      ...{ taken: text(C), place },
      since: '2026-11-22T01:00:00.000Z',
    })
  })

  test('takes one that is dated in the future for none of them', () => {
    const ahead: [string, number] = ['hourly-20270101T0000Z', Date.parse('2027-01-01T00:00:05Z') / 1000]
    expect(web(look({ main: { snapshots: [A, ahead] } }))?.taken).toBe(text(A))
  })

  test('forgets nothing of what it can’t see, and says since when', () => {
    const before = look({ main: { snapshots: [C] }, backup: replyOf([copy([B])]) })
    const away = look({ main: silent, backup: silent }, before)
    expect(web(away)).toEqual(web(before))
    expect(away.silent).toEqual({
      main: { since: NOW.toISOString(), reason: 'no route', code: 'unreachable' },
      backup: { since: NOW.toISOString(), reason: 'no route', code: 'unreachable' },
    })
    const unlisted = look({ main: { snapshots: null }, backup: silent }, before)
    expect(web(unlisted)).toEqual({ ...web(before), unseen: NOW.toISOString() })
  })

  test('tells that the newest verified snapshot of a copy is gone, until a newer one has come, and for a day at least', () => {
    const main = { snapshots: [A, B, C] }
    const before = look({ main, backup: replyOf([copy([A, B])]) })
    const less = look({ main, backup: replyOf([copy([A, B], [A])]) }, before)
    expect(web(less)).toEqual({
      ...{ taken: text(C), place, copied: text(A), lost: text(B) },
      lostAt: NOW.toISOString(),
    })
    expect(web(look({ main, backup: replyOf([]) }, less))).toMatchObject({ lost: text(B) })
    expect(web(look({ main, backup: silent }, less))).toMatchObject({ copied: text(A), lost: text(B) })
    const later = { main, backup: replyOf([copy([A, C])]) }
    expect(web(look(later, less))).toMatchObject({ copied: text(C), lost: text(B) })
    const dayAgo = { ...web(less), lostAt: '2026-11-21T03:00:00.000Z' }
    const old = { ...less, subjects: { hourly: { [WEB]: dayAgo } } }
    expect(web(look(later, old))).toEqual({ taken: text(C), place, copied: text(C) })
  })

  test('tells that the last snapshot is gone, until there is one again, and not of an instance made later', () => {
    const before = look({ main: { snapshots: [A, B] } })
    const none = look({ main: { snapshots: [['by-hand', at('03:05:00')]] } }, before)
    expect(web(none)).toMatchObject({ gone: text(B), goneAt: NOW.toISOString() })
    expect(web(look({ main: { snapshots: null } }, none))).toMatchObject({ gone: text(B) })
    expect(web(look({ main: silent }, none))).toEqual(web(none))
    const older = look({ main: { snapshots: [A] } }, before)
    expect(web(older)).toMatchObject({ taken: text(A), gone: text(B), goneAt: NOW.toISOString() })
    expect(web(look({ main: { snapshots: [C] } }, none))).not.toHaveProperty('gone')
    const anew = { snapshots: [], identity: { uuid: 'other', since: at('03:00:00') } }
    expect(web(look({ main: anew }, before))).toEqual({ place, since: NOW.toISOString() })
  })

  test('of a copy in another place nothing is known from before', () => {
    const before = look({ main: { snapshots: [B] }, backup: replyOf([copy([A])]) })
    const moved: Facts = {
      ...before,
      subjects: { hourly: { [WEB]: { ...web(before), place: 'backup/old/web', lost: text(C) } } },
    }
    const known = { taken: text(B), place, since: NOW.toISOString() }
    expect(web(look({ main: { snapshots: [B] } }, moved))).toEqual(known)
    expect(web(look({ main: { snapshots: [B] }, backup: silent }, moved))).toEqual({
      ...known,
      unseen: NOW.toISOString(),
    })
  })

  test('names what no policy covers, unless somebody left it out or it is a copy', () => {
    const others = [
      recordOf('db'),
      recordOf('cache', { own: { 'user.stapes.exclude': 'true' } }),
      recordOf('old', { own: { 'user.stapes.replica-of': 'x/y/z' } }),
      recordOf('again', { own: { 'user.stapes.replica-of': WEB } }),
      recordOf('app', { project: 'shop' }),
    ]
    const facts = look({ main: {}, others })
    // Brought back from web's copy under another name.
    expect(facts.uncovered).toEqual({ 'main/default': 'again db', 'main/shop': 'app' })
    expect(look({ main: silent }, facts).uncovered).toEqual(facts.uncovered)
    expect(look({}, facts).uncovered).toBeUndefined()
  })
})

test('what a run took and verified is known without another look', () => {
  const facts = look({ main: { snapshots: [B] }, backup: replyOf([copy([A])]) })
  const ref = { remote: 'main', project: 'default', instance: 'web' }
  const taken = { kind: 'snapshot', ref, policy: 'hourly', name: C[0], reason: '' }
  const verified = {
    kind: 'verify',
    source: ref,
    target: { ...ref, remote: 'backup' },
    marks: [A, B],
    expire: [],
    policies: ['hourly'],
    reason: '',
  }
  const unseen = { ...verified, marks: [C] }
  const after = withOutcomes(
    facts,
    [
      { action: taken, state: 'done' },
      { action: verified, state: 'done' },
      { action: unseen, state: 'unknown', reason: 'no answer' },
    ],
    NOW,
  )
  expect(web(after)).toEqual({ taken: `${C[0]}@${NOW.getTime() / 1000}`, place, copied: text(B) })
  expect(web(facts)).toEqual({ taken: text(B), place, copied: text(A) })
})

test('facts are written when more than the time has changed, or after ten minutes', () => {
  const facts = look({ main: { snapshots: [B] } })
  const later = (minutes: number, more: Partial<Facts> = {}): Facts => ({
    ...facts,
    at: new Date(NOW.getTime() + minutes * 60_000).toISOString(),
    ...more,
  })
  expect(isNews(null, facts)).toBe(true)
  expect(isNews(facts, later(9))).toBe(false)
  expect(isNews(facts, later(10))).toBe(true)
  expect(isNews(facts, later(1, { uncovered: { 'main/default': 'db' } }))).toBe(true)
  // As KV gives them back, in another order.
  const all = later(0, { terms: {}, glances: { main: 'x' }, uncovered: { 'main/default': 'db' } })
  const reversed = Object.fromEntries(Object.entries(all).toReversed()) as Facts
  expect(isNews(reversed, { ...all, at: later(1).at })).toBe(false)
  expect(isNews(reversed, { ...all, at: later(1).at, glances: { main: 'y' } })).toBe(true)
})

test('what is stored is read part by part, and what nothing could be planned for stays', () => {
  const facts = look({ main: { snapshots: [B] } })
  expect(parseFacts(JSON.parse(JSON.stringify(facts)))).toEqual({ facts, lost: [] })
  const damaged = { ...facts, silent: 7, subjects: { ...facts.subjects, other: { x: { taken: 5 } } } }
  const read = parseFacts(damaged)
  expect(read.facts?.subjects.hourly).toEqual(facts.subjects.hourly)
  expect(read.lost).toHaveLength(2)
  expect(parseFacts('x').facts).toBeNull()
  const kept = withFormer({ at: facts.at, subjects: {} }, facts, ['hourly'])
  expect(kept.subjects).toEqual(facts.subjects)
})
