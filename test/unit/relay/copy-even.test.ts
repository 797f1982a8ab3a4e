/** A refresh whose source's own list and pool list disagree: on 6.0.4 it would empty the copy. */
import { expect, test } from 'vitest'
import { refuseUneven } from '../../../relay/engine/steps/copy-even.ts'
import { createSuspects } from '../../../relay/engine/suspects.ts'
import { parseSource } from '../../../shared/incus/source.ts'
import { type Answer, createFakeIncus, refusal, sync } from './fake-incus.ts'
import { INSTANCE, NOT_FOUND } from './steps.ts'
import { createVirtualClock } from './virtual-clock.ts'

const REF = { remote: 'main', project: 'p', instance: 'web1' }
const DATE = '2026-11-22T20:00:00Z'
const OWN = '/1.0/instances/web1/snapshots?project=p&recursion=1'
const POOL = '/1.0/storage-pools/default/volumes/container/web1/snapshots?project=p&recursion=1'

const own = (names: string[]): Answer => sync(names.map((name) => ({ name, created_at: DATE })))
const inPool = (names: string[]): Answer => sync(names.map((name) => ({ name: `web1/${name}` })))

type Lists = { own: string[]; pool: Answer; later?: { own?: string[]; pool?: Answer } }

/** Half a second after the first look the lists are as they are `later`. */
async function look(lists: Lists, instance: object = INSTANCE) {
  const clock = createVirtualClock()
  const began = clock.now()
  const incus = createFakeIncus(clock)
  const suspects = createSuspects()
  incus.answer = (_, { path }) => {
    const { later = {} } = clock.now() - began > 500 ? lists : {}
    if (path === OWN) return own(later.own ?? lists.own)
    return path.startsWith(POOL) ? (later.pool ?? lists.pool) : NOT_FOUND
  }
  const rows = lists.own.map((name) => ({ name, created_at: DATE, expires_at: '0001-01-01T00:00:00Z' }))
  const details = parseSource(instance, rows)
  if (!details.ok) throw new Error(details.error)
  const said = await clock.until(refuseUneven(REF, details.value, { upstream: incus, suspects, clock }))
  return { said, suspects: [...suspects.of('main')], calls: incus.calls.map(({ call }) => call) }
}

test('what is even in both lists passes by one request', async () => {
  const { said, suspects, calls } = await look({ own: ['s1', 's2'], pool: inPool(['s2', 's1']) })
  expect(said).toEqual({ ok: true, value: null })
  expect(suspects).toEqual([])
  expect(calls).toEqual([`GET ${POOL}`])
})

test.each<[string, Lists]>([
  ['its pool alone has', { own: ['s1'], pool: inPool(['s1', 's2']) }],
  ['its pool has not', { own: ['s1', 's2'], pool: inPool(['s1']) }],
])('a snapshot that %s refuses the copy, and both lists are looked at from then on', async (_, lists) => {
  const { said, suspects } = await look(lists)
  expect(said).toMatchObject({ ok: true, value: expect.stringContaining('s2') })
  expect(suspects).toEqual(['p/web1'])
})

test.each<[string, Lists]>([
  ['taken', { own: ['s1'], pool: inPool(['s1', 's2']), later: { own: ['s1', 's2'] } }],
  ['removed', { own: ['s1', 's2'], pool: inPool(['s1']), later: { own: ['s1'] } }],
])('one that is just being %s refuses nothing', async (_, lists) => {
  expect(await look(lists)).toMatchObject({ said: { ok: true, value: null }, suspects: [] })
})

test.each<[string, Answer]>([
  ['is refused', refusal(403, 'not authorized')],
  ['is no list', sync({})],
  ['has a row without a name', sync([{ name: 'web1/s1' }, {}])],
  ['is null', sync(null)],
])('a pool’s list that %s is not taken for an empty one', async (_, pool) => {
  expect((await look({ own: [], pool })).said.ok).toBe(false)
})

test('on a cluster it is the list of the member that has the instance', async () => {
  const { calls } = await look({ own: [], pool: inPool([]) }, { ...INSTANCE, location: 'node2' })
  expect(calls).toEqual([`GET ${POOL}&target=node2`])
})
