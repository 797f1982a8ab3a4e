import { expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
import { request } from '../../../shared/incus/routes.ts'
import type { BatchLine } from '../../../shared/relay/protocol.ts'
import { type Answer, createFakeIncus, refusal, sync } from './fake-incus.ts'
import { createVirtualClock } from './virtual-clock.ts'

const OF = { 'user.stapes.replica-of': 'main/default/web1' }
const SECONDS = Date.parse('2026-11-22T03:00:00Z') / 1000

async function deleteOf(
  config: object,
  snapshots: string[],
  one: Partial<{ answer: Answer; snapshot: string }> = {},
) {
  const { answer = sync({ config }), snapshot } = one
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  incus.answer = (_, { method, path }) => {
    if (method !== 'GET') return undefined
    const listed = snapshots.map((name) => ({ name, created_at: '2026-11-22T03:00:00.5Z' }))
    return path.includes('/snapshots') ? sync(listed) : answer
  }
  const engine = createEngine({ upstream: incus, clock, remotes: { backup: { address: 'https://backup' } } })
  const [route, parameters] =
    snapshot === undefined
      ? (['deleteInstance', { instance: 'web1' }] as const)
      : (['deleteSnapshot', { instance: 'web1', snapshot }] as const)
  const step = { remote: 'backup', wait: 60, ...request(route, parameters, { project: 'p' }) }
  const lines: BatchLine[] = []
  await clock.until(engine.batch({ jobs: [{ id: 'a', steps: [step] }] }, (line) => lines.push(line)))
  const deleted = incus.calls.some(({ call }) => call.startsWith('DELETE'))
  return { deleted, lines: JSON.stringify(lines) }
}

test.each<[string, object, string[]]>([
  ['a copy of stapes with nothing verified', { ...OF, 'user.stapes.verified': '' }, ['s1']],
  ['a copy whose verified snapshots are gone', { ...OF, 'user.stapes.verified': `s0@${SECONDS}` }, ['s1']],
  ['a copy with another snapshot of a verified name', { ...OF, 'user.stapes.verified': 's1@7' }, ['s1']],
])('the relay deletes %s', async (_, config, snapshots) => {
  expect((await deleteOf(config, snapshots)).deleted).toBe(true)
})

test.each<[string, object, string[], string]>([
  ['an instance that stapes did not make', {}, [], 'it is not of stapes’ making'],
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

test.each<[string, object, string, boolean]>([
  ['a snapshot that stapes named', {}, 'daily-20261122T0300Z', true],
  ['somebody’s snapshot that came to a copy', OF, 'before-upgrade', true],
  ['somebody’s snapshot', {}, 'before-upgrade', false],
  ['a name of nearly our form', {}, 'daily-20261132T0300Z', false],
])('%s', async (_, config, snapshot, allowed) => {
  expect((await deleteOf(config, [], { snapshot })).deleted).toBe(allowed)
})
