import { expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
import { type Exports, NO_EXPORTS } from '../../../relay/engine/exports.ts'
import { createJobMemory } from '../../../relay/engine/job-memory.ts'
import type { BatchLine, InventoryRequest, Job, JobReport } from '../../../shared/relay/protocol.ts'
import { createFakeIncus, refusal } from './fake-incus.ts'
import { beforeCopies, copyStep } from './steps.ts'
import { createVirtualClock } from './virtual-clock.ts'

const REMOTES = {
  main: { address: 'https://main', role: 'both' },
  backup: { address: 'https://backup', copies: 2, role: 'both' },
} as const

function setUp() {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  // Each check goes on until the end.
  const exports: Exports = { ...NO_EXPORTS, stores: ['nas'], check: () => new Promise(() => {}) }
  const restart = () =>
    createEngine({ upstream: beforeCopies(incus), clock, remotes: REMOTES, secret: 's', exports })
  let engine = restart()
  const submit = async (...jobs: Job[]): Promise<BatchLine[]> => {
    const lines: BatchLine[] = []
    await engine.batch({ jobs }, (line) => lines.push(line))
    await clock.advance(0)
    return lines
  }
  const reports = async (adopt: NonNullable<InventoryRequest['adopt']> = []): Promise<JobReport[]> =>
    (await clock.until(engine.inventory({ remotes: [], adopt }))).jobs
  const states = async () => Object.fromEntries((await reports()).map(({ id, state }) => [id, state]))
  const restartRelay = () => {
    engine = restart()
  }
  const inventory = (remotes: string[]) => clock.until(engine.inventory({ remotes }))
  return { clock, incus, submit, reports, states, inventory, restartRelay }
}

const copy = (id: string, more: Partial<Job> = {}): Job => ({
  id,
  detach: true,
  steps: [copyStep(id.split('#')[0] ?? '')],
  ...more,
})

test('a copy is accepted at once, runs on its own and tells how it goes', async () => {
  const { clock, incus, submit, reports } = setUp()
  incus.answer = () => incus.operation({ after: 3_600_000, progress: 'web: 12MB (3MB/s)' })
  expect(await submit(copy('web', { memo: { slot: 7 } }))).toEqual([
    { job: 'web', accepted: true },
    { done: 1 },
  ])
  await clock.advance(10_000)
  expect(await reports()).toEqual([
    {
      id: 'web',
      state: 'running',
      memo: { slot: 7 },
      remote: 'backup',
      operation: 'op2',
      progress: 'web: 12MB (3MB/s)',
      since: '2026-11-22T03:00:00.000Z',
    },
  ])
  await clock.advance(3_600_000)
  expect(await reports()).toMatchObject([{ id: 'web', state: 'done', memo: { slot: 7 } }])
})

test('as many copies run onto a remote as it may take, first in, first out', async () => {
  const { clock, incus, submit, states } = setUp()
  incus.answer = () => incus.operation({ after: 60_000 })
  await submit(copy('a'), copy('b'), copy('c'), copy('d'))
  expect(await states()).toEqual({ a: 'running', b: 'running', c: 'queued', d: 'queued' })
  await clock.advance(61_000)
  expect(await states()).toEqual({ a: 'done', b: 'done', c: 'running', d: 'running' })
})

const cancel = (job: string): Job => ({
  id: `cancel ${job}`,
  steps: [{ do: 'cancel', ref: copyStep(job).source, job }],
})

test('one that is cancelled while it is queued sends nothing, and holds up no other', async () => {
  const { clock, incus, submit, reports, states } = setUp()
  incus.answer = () => incus.operation({ after: 60_000 })
  await submit(copy('a'), copy('b'), copy('c', { lock: 'web' }), copy('d'))
  const sent = incus.calls.length
  expect(await submit(cancel('c'))).toContainEqual({ job: 'cancel c', steps: [{ ok: true }] })
  expect(incus.calls).toHaveLength(sent)
  expect(await reports()).toContainEqual(
    expect.objectContaining({
      id: 'c',
      state: 'failed',
      error: expect.objectContaining({ code: 'cancelled' }),
    }),
  )
  expect(await submit(copy('e', { lock: 'web' }))).toContainEqual({ job: 'e', accepted: true })
  await clock.advance(61_000)
  expect(await states()).toMatchObject({ a: 'done', b: 'done', c: 'failed', d: 'running', e: 'running' })
})

test('one that is cancelled while Incus doesn’t stop it begins no further request', async () => {
  const { clock, incus, submit, reports } = setUp()
  incus.answer = () => incus.operation({ after: 60_000 })
  await submit(copy('a', { steps: [copyStep('a'), copyStep('b')] }))
  await submit(cancel('a'))
  expect(await reports()).toMatchObject([{ id: 'a', state: 'running' }])
  const changing = () => incus.calls.filter((one) => JSON.stringify(one).includes('POST')).length
  const sent = changing()
  await clock.advance(300_000)
  expect(changing()).toBe(sent)
  expect(await reports()).toMatchObject([{ id: 'a', state: 'failed', error: { code: 'cancelled' } }])
  expect(await submit(cancel('a'))).toMatchObject([
    { steps: [{ ok: false, error: { code: 'not-allowed' } }] },
    { done: 1 },
  ])
})

test('exports and checks of them hold up no copy, and run two at a time', async () => {
  const { incus, submit, states } = setUp()
  incus.answer = () => incus.operation({ after: 60_000 })
  const check = (id: string): Job => {
    const ref = { remote: 'backup', project: 'default', instance: id }
    return { id, detach: true, steps: [{ do: 'check-export', ref, store: 'nas', name: null }] }
  }
  await submit(check('one'), check('two'), check('three'), copy('a'), copy('b'))
  expect(await states()).toEqual({
    ...{ one: 'running', two: 'running', three: 'queued' },
    ...{ a: 'running', b: 'running' },
  })
})

test('copies to one remote do not hold up copies to another', async () => {
  const { incus, submit, states } = setUp()
  incus.answer = () => incus.operation({ after: 60_000 })
  const { source: target, target: source } = copyStep('back')
  await submit(copy('a'), copy('b'), copy('c'), {
    ...copy('back'),
    steps: [copyStep('back', { source, target })],
  })
  expect(await states()).toMatchObject({ c: 'queued', back: 'running' })
})

test('an id that is queued or running is accepted again and starts nothing', async () => {
  const { clock, incus, submit } = setUp()
  incus.answer = () => incus.operation({ after: 60_000 })
  await submit(copy('web', { lock: 'web' }))
  const sent = incus.calls.length
  expect(await submit(copy('web', { lock: 'web' }))).toContainEqual({ job: 'web', accepted: true })
  expect(incus.calls).toHaveLength(sent)
  await clock.advance(120_000)
  expect(await submit(copy('web', { lock: 'web' }))).toContainEqual({ job: 'web', accepted: true })
  expect(incus.calls).toHaveLength(2 * sent)
})

test('a queued copy holds its lock', async () => {
  const { incus, submit } = setUp()
  incus.answer = () => incus.operation({ after: 60_000 })
  const lines = await submit(copy('a'), copy('b'), copy('c', { lock: 'web' }), copy('d', { lock: 'web' }))
  expect(lines).toContainEqual({
    job: 'd',
    steps: [{ ok: false, error: expect.objectContaining({ code: 'locked' }) }],
  })
})

const endings = [
  { name: 'refused', state: 'failed', step: 0, code: 'incus' },
  { name: 'failed', state: 'failed', step: 0, code: 'incus' },
  { name: 'killed', state: 'unknown', step: 0, code: 'vanished' },
]

test.each(endings)('a copy that is $name ends as $state, with the step and the reason', async (row) => {
  const { clock, incus, submit, reports } = setUp()
  incus.answer = (remote) => {
    if (remote === 'main') return incus.operation({ after: 9e6 })
    if (row.name === 'refused') return refusal(500, 'Requested profile "nope" doesn\'t exist')
    return incus.operation(row.name === 'failed' ? { after: 9000, error: 'No space left' } : { after: 9e6 })
  }
  await submit(copy('web'))
  await clock.advance(7_000)
  if (row.name === 'killed') incus.kill()
  await clock.advance(7_000)
  incus.start()
  await clock.advance(7_000)
  const [report] = await reports()
  expect(report).toMatchObject({ state: row.state, step: row.step, error: { code: row.code } })
})

test('a server that stays away makes a copy unknown, not failed', async () => {
  const { clock, incus, submit, states } = setUp()
  incus.answer = () => incus.operation({ after: 9e6 })
  await submit(copy('web'))
  incus.kill()
  await clock.advance(200_000)
  expect(await states()).toEqual({ web: 'running' })
  await clock.advance(200_000)
  expect(await states()).toEqual({ web: 'unknown' })
})

test('patience with a silent server begins anew each time it was heard', async () => {
  const { clock, incus, submit, states } = setUp()
  // Its operation must be found again after the outage, which a real daemon's restart would lose.
  const { request } = incus
  let away = false
  incus.request = (remote, call, options) =>
    away
      ? Promise.resolve({ ok: false, error: { code: 'unreachable', message: 'away' } })
      : request(remote, call, options)
  incus.answer = () => incus.operation({ after: 9e6 })
  await submit(copy('web'))
  for (const seconds of [200, 60, 200, 60, 200]) {
    away = seconds === 200
    await clock.advance(seconds * 1000)
    expect(await states()).toEqual({ web: 'running' })
  }
})

test('a copy that ends while the listings are read is told as running: they may not show it yet', async () => {
  const { clock, incus, submit, states, inventory } = setUp()
  incus.answer = () => incus.operation({ after: 3_000 })
  await submit(copy('web'))
  const { request } = incus
  incus.request = async (remote, call, options) => {
    if (call.path.startsWith('/1.0/projects'))
      await new Promise<void>((resolve) => void clock.after(20_000, resolve))
    return request(remote, call, options)
  }
  expect((await inventory(['backup'])).jobs).toMatchObject([{ id: 'web', state: 'running' }])
  expect(await states()).toEqual({ web: 'done' })
})

test('a relay that restarted adopts what still runs and sees it end', async () => {
  const { clock, incus, submit, reports, states, restartRelay } = setUp()
  incus.answer = () => incus.operation({ after: 60_000 })
  await submit(copy('web', { lock: 'web' }))
  restartRelay()
  const known = { id: 'web', remote: 'backup', operation: 'op2', lock: 'web', memo: 1 }
  expect(await reports([known])).toMatchObject([{ id: 'web', state: 'running', memo: 1 }])
  expect(await submit(copy('other', { lock: 'web' }))).toContainEqual(
    expect.objectContaining({ steps: [expect.objectContaining({ ok: false })] }),
  )
  await clock.advance(61_000)
  expect(await states()).toEqual({ web: 'done' })
})

test('what is gone is not adopted, so that its absence says so', async () => {
  const { reports } = setUp()
  expect(await reports([{ id: 'web', remote: 'backup', operation: 'op9' }])).toEqual([])
  expect(await reports([{ id: 'web', remote: 'moon', operation: 'op9' }])).toEqual([])
})

test('an ended copy is remembered for a day', async () => {
  const { clock, submit, states } = setUp()
  await submit(copy('web'))
  await clock.advance(86_000_000)
  expect(await states()).toEqual({ web: 'done' })
  await clock.advance(1_000_000)
  expect(await states()).toEqual({})
})

test('when memory is full the oldest ended job goes, and never a live one', () => {
  const memory = createJobMemory(createVirtualClock(), 3)
  for (const id of ['live', 'old', 'new']) memory.begin({ id })
  memory.change('old', { state: 'done' })
  memory.change('new', { state: 'done' })
  expect(memory.makeRoom()).toBe(true)
  expect(memory.reports().map(({ id }) => id)).toEqual(['live', 'new'])
  memory.begin({ id: 'a' })
  expect(memory.makeRoom()).toBe(true)
  memory.begin({ id: 'b' })
  expect(memory.makeRoom()).toBe(false)
  expect(memory.reports().map(({ id }) => id)).toEqual(['live', 'a', 'b'])
})

test('a push is watched on the receiving side, and fails when either side does', async () => {
  const { clock, incus, submit, reports } = setUp()
  let calls = 0
  incus.answer = () => {
    calls += 1
    return calls === 1
      ? incus.operation({ after: 30_000, error: 'the target is full' })
      : incus.operation({ after: 60_000 })
  }
  await submit({ id: 'web', detach: true, steps: [copyStep('web', { transferMode: 'push' })] })
  expect(await reports()).toMatchObject([{ state: 'running', remote: 'backup', operation: 'op1' }])
  await clock.advance(120_000)
  expect(await reports()).toMatchObject([{ state: 'failed', error: { message: 'the target is full' } }])
})

test('of a family only the newest job is remembered, and others are not touched', async () => {
  const { clock, submit, states } = setUp()
  await submit(copy('web#0', { family: 'web' }), copy('db#0', { family: 'db' }))
  await clock.advance(10_000)
  await submit(copy('web#1', { family: 'web' }))
  expect(await states()).toMatchObject({ 'db#0': 'done', 'web#1': 'running' })
  expect(Object.keys(await states())).not.toContain('web#0')
})
