import { expect, test } from 'vitest'
import { runCalls } from '../../../relay/engine/call-list.ts'
import { guard } from '../../../relay/engine/guard.ts'
import { createHooks } from '../../../relay/engine/hooks.ts'
import { createJournal } from '../../../relay/engine/journal.ts'
import { createSeal } from '../../../relay/engine/seal.ts'
import { createSightings } from '../../../relay/engine/sightings.ts'
import { type IncusRequest, matchRoute, request } from '../../../shared/incus/routes.ts'
import { recordOf, replyOf } from '../policy/instances.ts'
import { callIo } from './call-io.ts'
import { type Answer, createFakeIncus, refusal, sync } from './fake-incus.ts'
import { createVirtualClock } from './virtual-clock.ts'

const OF = { 'user.stapes.replica-of': 'main/default/web1' }
const FIRST = { 'user.stapes.copying': 'daily-20261122T0300Z#0 0' }
const WEB = { instance: 'web1' }
const PROJECT = { project: 'p' }
const DAILY = 'daily-20261121T0300Z'
const SAFE = 'before-restore-20261122T0300Z'
const SECONDS = Date.parse('2026-11-22T03:00:00Z') / 1000

const marked = (mark: string, more: object = {}) => ({ 'user.stapes.restoring': mark, ...more })

async function deleteOf(
  config: object,
  snapshots: string[] | null,
  one: Partial<{ answer: Answer; snapshot: string }> = {},
) {
  const { answer = sync({ config }), snapshot } = one
  const step =
    snapshot === undefined
      ? request('deleteInstance', WEB, PROJECT)
      : request('deleteSnapshot', { ...WEB, snapshot }, PROJECT)
  const { calls, lines } = await run(step, answer, snapshots)
  return { deleted: calls.some((call) => call.startsWith('DELETE')), lines }
}

async function restoreOf(
  config: object,
  snapshots: string[] | null,
  { stateful = false, how = {}, more = {} } = {},
) {
  const step = request('restoreInstance', WEB, PROJECT, { restore: DAILY, stateful, ...how })
  const { calls, lines } = await run(step, sync({ config }), snapshots, more)
  return { restored: calls.some((call) => call.startsWith('PUT')), lines }
}

/** A job of that one step on a server where `answer` is the instance, and `running` is under way on it. */
async function run(
  step: IncusRequest,
  answer: Answer,
  snapshots: string[] | null,
  more: object = {},
  running: string | null = null,
) {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  incus.answer = (_, { method, path }) => {
    if (method === 'PATCH') return sync({})
    if (method !== 'GET') return undefined
    if (path.startsWith('/1.0/operations')) return sync(operationsOf(running))
    const listed = snapshots?.map((name) => ({ name, created_at: '2026-11-22T03:00:00.5Z', ...more }))
    return path.includes('/snapshots') ? sync(listed ?? null) : answer
  }
  const ran = await clock.until(runCalls([{ remote: 'backup', wait: 60, ...step }], callIo(incus, clock)))
  return { calls: incus.calls.map(({ call }) => call), lines: JSON.stringify(ran) }
}

const operationsOf = (description: string | null): object =>
  description === null
    ? {}
    : {
        running: [
          {
            id: 'o',
            status_code: 103,
            description,
            resources: { instances: ['/1.0/instances/web1?project=p'] },
          },
        ],
      }

test.each<[string, object, string[]]>([
  [
    'a copy that bears the mark of its first transfer',
    { ...OF, ...FIRST, 'user.stapes.verified': '' },
    ['s1'],
  ],
])('the relay deletes %s', async (_, config, snapshots) => {
  expect((await deleteOf(config, snapshots)).deleted).toBe(true)
})

test.each<[string, object, string[], string]>([
  ['an instance that stapes did not make', { ...FIRST }, [], 'stapes did not make it'],
  ['a copy without such a mark', { ...OF }, ['s1'], 'it may have been verified'],
  [
    'a copy that a refresh was under way to',
    { ...OF, 'user.stapes.copying': `t#0 ${SECONDS}` },
    ['s1'],
    'it may have been verified',
  ],
  [
    'a copy whose verified snapshots are gone',
    { ...OF, ...FIRST, 'user.stapes.verified': `s0@${SECONDS}` },
    ['s1'],
    'its snapshot s0 is a verified copy',
  ],
  [
    'a verified copy',
    { ...OF, 'user.stapes.verified': `s1@${SECONDS}` },
    ['s0', 's1'],
    'its snapshot s1 is a verified copy',
  ],
])('the relay does not delete %s, whoever asks', async (_, config, snapshots, why) => {
  const { deleted, lines } = await deleteOf(config, snapshots)
  expect(deleted).toBe(false)
  expect(lines).toContain(why)
})

test('what could not be looked at is not deleted', async () => {
  const { deleted, lines } = await deleteOf({}, [], { answer: refusal(500, 'database is locked') })
  expect(deleted).toBe(false)
  expect(lines).toContain('database is locked')
})

test('an instance that comes without its config is not deleted', async () => {
  const { deleted, lines } = await deleteOf({}, [], { answer: sync({ config: null }) })
  expect(deleted).toBe(false)
  expect(lines).toContain('bad-reply')
})

test('an instance whose snapshots come as null is not restored', async () => {
  const { restored, lines } = await restoreOf(marked(`${DAILY} ${SAFE} running`), null)
  expect(restored).toBe(false)
  expect(lines).toContain('bad-reply')
})

/** What the guard says of a call to a copy that was seen with a verified snapshot, and has no mark of it now. */
async function afterSeeing(
  step: IncusRequest,
  later: [string, number][] | null = [[DAILY, SECONDS]],
): Promise<string> {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  incus.answer = () => sync({ config: { ...OF, ...FIRST } })
  const journal = createJournal(clock)
  const memory = createSightings(incus, clock, journal)
  const own = { ...OF, 'user.stapes.verified': `s0@7 ${DAILY}@${SECONDS}` }
  const snapshots: [string, number][] = [[DAILY, SECONDS]]
  const seen = replyOf([recordOf('web1', { project: 'p', own, snapshots })])
  if (seen.ok) memory.note('backup', seen.inventory, clock.now(), true)
  const lost = replyOf([recordOf('web1', { project: 'p', own: OF, snapshots: later })])
  if (lost.ok) memory.note('backup', lost.inventory, clock.now(), true)
  const match = matchRoute(step.method, step.path)
  if (match === null) throw new Error('no such route')
  const said = await clock.until(
    guard(incus, 'backup', match, undefined, {
      ...{ journal, serverOf: memory.serverOf, now: clock.now() },
      ...{ seal: createSeal('of the relay'), hooks: createHooks() },
    }),
  )
  return said.ok ? 'allowed' : said.error.message
}

test('a copy that was seen verified is never deleted, though its mark was lost since', async () => {
  expect(await afterSeeing(request('deleteInstance', WEB, PROJECT))).toContain('it had verified snapshots')
})

test('what was removed or renamed since, and made anew under its name, is another one', async () => {
  expect(await afterSeeing(request('deleteInstance', WEB, PROJECT), [])).toBe('allowed')
  expect(await afterSeeing(request('deleteInstance', WEB, PROJECT), null)).toContain('it had verified')
})

test.each([
  [DAILY, 'it is the newest verified snapshot of a copy'],
  ['s0', 'allowed'],
])('of the verified snapshots of a copy, %s: %s', async (snapshot, said) => {
  expect(await afterSeeing(request('deleteSnapshot', { ...WEB, snapshot }, PROJECT))).toContain(said)
})

const begins = { config: { 'user.stapes.copying': `${DAILY}#1 7`, 'user.stapes.owner': '2.b.k' } }
const ends = { config: { 'user.stapes.copying': '', 'user.stapes.owner': '1.a.k' } }

test.each<[string, object, object, string | null, boolean]>([
  ['a transfer begins on a copy at rest', {}, begins, null, true],
  ['a transfer begins while another runs', {}, begins, 'Creating instance', false],
  ['a transfer of ours is verified', { 'user.stapes.owner': '1.a.k' }, ends, null, true],
  ['a transfer of somebody younger is verified', { 'user.stapes.owner': '2.b.k' }, ends, null, false],
  ['a transfer of ours from before our state was lost', { 'user.stapes.owner': '0.c.k' }, ends, null, true],
  ['a transfer begins on somebody else’s copy', { 'user.stapes.owner': '0.c.other' }, begins, null, false],
  ['something is verified while a transfer runs', {}, ends, 'Creating instance', false],
])('%s', async (_, config, body, running, allowed) => {
  const step = request('markInstance', WEB, PROJECT, body)
  const { calls } = await run(step, sync({ config: { ...OF, ...config } }), [], {}, running)
  expect(calls.some((call) => call.startsWith('PATCH'))).toBe(allowed)
})

test.each<[string, object, string, boolean]>([
  ['a snapshot that stapes named', {}, 'daily-20261122T0300Z', true],
  ['somebody’s snapshot that came to a copy', OF, 'before-upgrade', true],
  ['somebody’s snapshot', {}, 'before-upgrade', false],
  ['a name of nearly our form', {}, 'daily-20261132T0300Z', false],
])('%s', async (_, config, snapshot, allowed) => {
  expect((await deleteOf(config, [], { snapshot })).deleted).toBe(allowed)
})

test('the relay restores what is marked for it and has its safety snapshot', async () => {
  expect((await restoreOf(marked(`${DAILY} ${SAFE} running`), [DAILY, SAFE])).restored).toBe(true)
})

test.each<[string, object, string[], string]>([
  ['without a mark', {}, [DAILY, SAFE], 'its user.stapes.restoring doesn’t name that snapshot'],
  [
    'marked for another snapshot',
    marked(`weekly-20261115T0300Z ${SAFE} running`),
    [DAILY, SAFE],
    'its user.stapes.restoring doesn’t name that snapshot',
  ],
  [
    'with a mark of another form',
    marked(`${DAILY} ${SAFE}`),
    [DAILY, SAFE],
    'its user.stapes.restoring doesn’t name that snapshot',
  ],
  [
    'whose safety snapshot may be partial',
    marked(`${DAILY} ${SAFE} running taking`),
    [DAILY, SAFE],
    `its user.stapes.restoring doesn’t say that ${SAFE} is complete`,
  ],
  [
    'whose safety snapshot is gone',
    marked(`${DAILY} ${SAFE} stopped`),
    [DAILY, 'before-restore-20261121T0300Z'],
    `its safety snapshot ${SAFE} doesn’t exist`,
  ],
  [
    'with a policy’s snapshot for its safety',
    marked(`${DAILY} daily-20261120T0300Z stopped`),
    [DAILY, 'daily-20261120T0300Z'],
    'daily-20261120T0300Z isn’t the name of a snapshot taken before a restore',
  ],
  ['that is a copy', marked(`${DAILY} ${SAFE} stopped`, OF), [DAILY, SAFE], 'it is a copy'],
])('the relay does not restore an instance %s, whoever asks', async (_, config, snapshots, why) => {
  const { restored, lines } = await restoreOf(config, snapshots)
  expect(restored).toBe(false)
  expect(lines).toContain(`does not restore web1 to ${DAILY}`)
  expect(lines).toContain(why)
})

test('a start is not looked at', async () => {
  const step = request('startInstance', WEB, PROJECT, { action: 'start' })
  const { calls } = await run(step, sync({ config: {} }), [])
  expect(calls).toEqual(['PUT /1.0/instances/web1/state?project=p'])
})

async function thawOf(status: string, operations: object) {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  incus.answer = (_, { method, path }) => {
    if (method !== 'GET') return undefined
    return path.startsWith('/1.0/operations') ? sync(operations) : sync({ status, config: {} })
  }
  const step = request('startInstance', WEB, PROJECT, { action: 'unfreeze' })
  const ran = await clock.until(runCalls([{ remote: 'backup', ...step }], callIo(incus, clock)))
  return { thawed: incus.calls.some(({ call }) => call.startsWith('PUT')), lines: JSON.stringify(ran) }
}

const running = (instance: string) => ({
  running: [
    {
      id: 'o1',
      status_code: 103,
      description: 'Migrating instance',
      resources: { instances: [`/1.0/instances/${instance}?project=p`] },
    },
  ],
})

test('the relay thaws what is frozen while nothing runs on it', async () => {
  expect((await thawOf('Frozen', {})).thawed).toBe(true)
  expect((await thawOf('Frozen', running('web2'))).thawed).toBe(true)
})

test.each<[string, string, object, string]>([
  ['what runs', 'Running', {}, 'it is Running'],
  ['what is copied now', 'Frozen', running('web1'), 'an operation runs on it: Migrating instance'],
  ['where it can’t see what runs', 'Frozen', [], 'another form than expected'],
])('the relay does not thaw %s, whoever asks', async (_, status, operations, why) => {
  const { thawed, lines } = await thawOf(status, operations)
  expect(thawed).toBe(false)
  expect(lines).toContain(why)
})

/** The fake's time stands still there. */
const hoursFromNow = (hours: number): string =>
  new Date(createVirtualClock().now() + hours * 3_600_000).toISOString()

test.each<[string, string, object, boolean, string | null]>([
  ['with memory that it has', ' stateful', { stateful: true }, true, null],
  ['without memory that it has', '', { stateful: true }, false, null],
  ['with memory that it lacks', ' stateful', { stateful: false }, true, 'taken without the memory'],
  ['with memory that nobody told of', ' stateful', {}, true, 'taken without the memory'],
  ['with memory that its mark doesn’t name', '', { stateful: true }, true, 'doesn’t say that its memory'],
  ['that stays', '', { expires_at: hoursFromNow(2) }, false, null],
  ['that Incus removes soon', '', { expires_at: hoursFromNow(0.5) }, false, 'perhaps during the restore'],
])('a snapshot is restored %s', async (_, word, more, stateful, why) => {
  const { restored, lines } = await restoreOf(marked(`${DAILY} ${SAFE} running${word}`), [DAILY, SAFE], {
    stateful,
    more,
  })
  expect(restored).toBe(why === null)
  expect(lines).toContain(why ?? '')
})

test.each<[string, string, object, string | null]>([
  ['of its disk alone, as its mark says', ' disk', { disk_only: true }, null],
  ['of its disk alone, of which its mark says nothing', '', { disk_only: true }, 'says otherwise'],
  ['of all of it, where its mark says the disk', ' disk', {}, 'says otherwise'],
])('a restore %s is judged at the restore itself', async (_, word, how, why) => {
  const mark = marked(`${DAILY} ${SAFE} running${word}`)
  const { restored, lines } = await restoreOf(mark, [DAILY, SAFE], { how })
  expect(restored).toBe(why === null)
  expect(lines).toContain(why ?? '')
})

test.each<[string, string, string[], object, string | null]>([
  ['that stays', '', [DAILY], { expires_at: hoursFromNow(20) }, null],
  ['that Incus removes soon', '', [DAILY], { expires_at: hoursFromNow(2) }, 'hold it first'],
  ['that is gone', '', ['other'], {}, 'doesn’t exist'],
  ['without the memory that is wanted', ' stateful', [DAILY], { stateful: false }, 'without the memory'],
])('a restore to a snapshot %s is judged before anything is done', async (_, word, snapshots, more, why) => {
  const mark = `${DAILY} ${SAFE} running${word} taking`
  const step = request('markInstance', WEB, PROJECT, { config: { 'user.stapes.restoring': mark } })
  const { calls, lines } = await run(step, sync({ config: {} }), snapshots, more)
  expect(calls.some((call) => call.startsWith('PATCH'))).toBe(why === null)
  expect(lines).toContain(why ?? '')
})
