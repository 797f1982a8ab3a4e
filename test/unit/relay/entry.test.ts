/** What servers say is checked where it enters the relay, and one of them holds up nobody else. */
import { expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
import { createJournal } from '../../../relay/engine/journal.ts'
import { createSightings } from '../../../relay/engine/sightings.ts'
import type { RemoteInventory } from '../../../shared/incus/inventory.ts'
import { matchRoute } from '../../../shared/incus/routes.ts'
import { serializeReply, unpackReply } from '../../../shared/relay/packing.ts'
import type { BatchLine, InventoryReply, Job } from '../../../shared/relay/protocol.ts'
import { safeText } from '../../../shared/safe-text.ts'
import { type Answer, createFakeIncus, type FakeIncus, refusal, sync } from './fake-incus.ts'
import { INSTANCES, instance, OPERATIONS, PROJECTS, server, VOLUMES, volume } from './lying-server.ts'
import { take } from './steps.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

const REMOTES = { main: { address: 'https://main' }, slow: { address: 'https://slow' } }

const TRUTH: Record<string, unknown> = {
  '/1.0': server(),
  [PROJECTS]: [{ name: 'default' }],
  [INSTANCES]: [instance()],
  '/1.0/storage-pools/fast': { driver: 'btrfs' },
  [VOLUMES]: [volume('web'), volume('web/s1')],
  [OPERATIONS]: {},
}

type Stage = { clock: VirtualClock; incus: FakeIncus; engine: ReturnType<typeof createEngine> }

function stage(): Stage {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  incus.answer = (_, { path }) => (path in TRUTH ? sync(TRUTH[path]) : refusal(404, 'not found'))
  return { clock, incus, engine: createEngine({ upstream: incus, clock, remotes: REMOTES, secret: 's' }) }
}

/** Each answer of that remote takes so long, unless the caller waits less. */
function delay({ clock, incus }: Stage, remote: string, ms: number): void {
  const { request } = incus
  incus.request = async (name, wanted, options) => {
    if (name !== remote) return request.call(incus, name, wanted, options)
    await new Promise<void>((resolve) => void clock.after(Math.min(ms, options.timeout), resolve))
    if (ms > options.timeout) return { ok: false, error: { code: 'timeout', message: 'no answer' } }
    return request.call(incus, name, wanted, options)
  }
}

test('answers that take 45 s each don’t add up', async () => {
  const scene = stage()
  delay(scene, 'slow', 45_000)
  const began = scene.clock.now()
  const { remotes } = await scene.clock.until(scene.engine.inventory({ remotes: ['main', 'slow'] }))
  expect((scene.clock.now() - began) / 1000).toBeLessThanOrEqual(90)
  expect(remotes.main).toMatchObject({ ok: true, inventory: { instances: [{ name: 'web' }] } })
  expect(remotes.slow).toMatchObject({ ok: false, error: { code: 'timeout' } })
  expect(remotes.slow).toMatchObject({ error: { message: expect.stringContaining('within 90 s') } })
})

test('a caller with little time gets the others by then', async () => {
  const scene = stage()
  delay(scene, 'slow', 45_000)
  const began = scene.clock.now()
  const adopt = [{ id: 'copy', remote: 'slow', operation: 'op1' }]
  const request = { remotes: ['main', 'slow'], adopt, within: 12_000 }
  const { remotes } = await scene.clock.until(scene.engine.inventory(request))
  expect((scene.clock.now() - began) / 1000).toBeLessThanOrEqual(15)
  expect(remotes.main).toMatchObject({ ok: true })
  expect(remotes.slow).toMatchObject({ ok: false, error: { code: 'timeout' } })
})

test('a server that doesn’t answer for an operation to adopt holds up the look for 15 s', async () => {
  const scene = stage()
  delay(scene, 'slow', 3_600_000)
  const began = scene.clock.now()
  const adopt = [{ id: 'copy', remote: 'slow', operation: 'op1' }]
  const seen = scene.clock.until(scene.engine.inventory({ remotes: ['main'], adopt }))
  expect(await seen).toMatchObject({ remotes: { main: { ok: true } }, jobs: [] })
  expect((scene.clock.now() - began) / 1000).toBeLessThanOrEqual(15)
})

test('an instance whose name can’t be used is not gone', async () => {
  const clock = createVirtualClock()
  const journal = createJournal(clock)
  const memory = createSightings(createFakeIncus(clock), clock, journal)
  const listed = {
    ...instance(),
    config: { 'user.stapes.verified': 's1@5' },
    own: ['user.stapes.verified'],
    snapshots: [['s1', 5]],
  }
  const seen = (more: object) => ({ instances: [], ...more }) as unknown as RemoteInventory
  memory.note('main', seen({ instances: [listed] }), clock.now(), true)
  memory.note('main', seen({ unusable: ['an instance called "web " is left out'] }), clock.now(), true)
  expect(journal.verified('main/default/web')).toEqual([['s1', 5]])
  memory.note('main', seen({}), clock.now(), true)
  expect(journal.verified('main/default/web')).toEqual([['s1', 5]])
  await clock.advance(86_400_000)
  memory.note('main', seen({}), clock.now(), true)
  expect(journal.verified('main/default/web')).toEqual([])
})

test('a look that has not all custom volumes forgets none', async () => {
  const clock = createVirtualClock()
  const journal = createJournal(clock)
  const memory = createSightings(createFakeIncus(clock), clock, journal)
  const key = 'main/default/default:data'
  journal.setVerified(key, [['s1', 5]])
  const nothing = { instances: [] } as unknown as RemoteInventory
  for (const volumes of [false, false, true]) {
    memory.note('main', nothing, clock.now(), volumes)
    await clock.advance(clock.now() + 86_400_000)
    expect(journal.verified(key)).toEqual([['s1', 5]])
  }
  memory.note('main', nothing, clock.now(), true)
  expect(journal.verified(key)).toEqual([])
})

test('a look that began before a copy was marked doesn’t forget what was marked', async () => {
  const clock = createVirtualClock()
  const journal = createJournal(clock)
  const memory = createSightings(createFakeIncus(clock), clock, journal)
  const of = (mark: string, snapshots: [string, number][]) => {
    const config = { 'user.stapes.verified': mark }
    const listed = { ...instance(), config, own: Object.keys(config), snapshots }
    return { instances: [listed] } as unknown as RemoteInventory
  }
  const key = { remote: 'main', project: 'default', instance: 'web' }
  const began = clock.now()
  await clock.advance(began + 1000)
  journal.setVerified('main/default/web', [['s2', 9]])
  memory.forget(key)
  memory.note('main', of('s1@5', [['s1', 5]]), began, true)
  expect(journal.verified('main/default/web')).toEqual([['s2', 9]])
  expect(memory.listed(key)).toBeNull()
  await clock.advance(clock.now() + 1000)
  memory.note('main', of('s2@9', [['s2', 9]]), clock.now(), true)
  expect(memory.listed(key)).toEqual([['s2', 9]])
})

test('a copy that was changed during a look still tells what has expired on its source', () => {
  const clock = createVirtualClock()
  const journal = createJournal(clock)
  const memory = createSightings(createFakeIncus(clock), clock, journal)
  const config = { 'user.stapes.replica-of': 'main/default/web' }
  const copy = { ...instance(), config, own: Object.keys(config), snapshots: [['s1', 5]] }
  const seen = { instances: [copy] } as unknown as RemoteInventory
  journal.noteExpired('main/default/web', ['s1', 5])
  const began = clock.now()
  memory.forget({ remote: 'backup', project: 'default', instance: 'web' })
  memory.note('backup', seen, began, true)
  expect(journal.expiredOn('main', memory.onCopies())).toEqual(['default/web/s1@5'])
  memory.note('backup', { instances: [] } as unknown as RemoteInventory, clock.now(), true)
  expect(journal.expiredOn('main', memory.onCopies())).toEqual([])
})

const job = (id: string, remote: string): Job => ({
  id,
  steps: [take('web', { ref: { remote, project: 'default', instance: 'web' } })],
})

async function linesOf({ clock, engine }: Stage, jobs: Job[]): Promise<BatchLine[]> {
  const lines: BatchLine[] = []
  await clock.until(engine.batch({ jobs }, (line) => lines.push(line)))
  return lines
}

const isTake = (method: string, path: string): boolean => matchRoute(method, path)?.name === 'createSnapshot'

test.each<[string, unknown]>([
  ['none', undefined],
  ['half a character', { id: '\ud800', status_code: 103 }],
  ['one that climbs', { id: '../../1.0/instances/web', status_code: 103 }],
  ['one without an end', { id: 'x'.repeat(1_000_000), status_code: 103 }],
])('an answer without an operation is no success: %s', async (_, metadata) => {
  const scene = stage()
  const announced: Answer = { status: 202, body: { type: 'async', metadata } }
  scene.incus.answer = (remote, { method, path }) =>
    remote === 'slow' && isTake(method, path) ? announced : undefined
  const lines = await linesOf(scene, [job('a', 'slow'), job('b', 'main')])
  expect(lines).toContainEqual({ job: 'b', steps: [{ ok: true }] })
  expect(lines).toContainEqual({
    job: 'a',
    steps: [{ ok: false, error: expect.objectContaining({ code: 'bad-reply' }) }],
  })
  expect(scene.incus.calls).toHaveLength(2)
})

test('an operation that never ends ends its own job after its limit, and the others are told before', async () => {
  const scene = stage()
  const forever = scene.incus.operation({ after: Number.MAX_SAFE_INTEGER })
  scene.incus.answer = (remote, { method, path }) =>
    remote === 'slow' && isTake(method, path) ? forever : undefined
  const began = scene.clock.now()
  const told: [string, number][] = []
  const jobs = [job('a', 'slow'), job('b', 'main'), { ...job('c', 'main'), id: 'c' }]
  await scene.clock.until(
    scene.engine.batch({ jobs }, (line) => {
      if ('job' in line) told.push([line.job, Math.round((scene.clock.now() - began) / 1000)])
    }),
  )
  expect(told.map(([id]) => id)).toEqual(['b', 'c', 'a'])
  expect(told[1]?.[1]).toBeLessThan(5)
  expect(told[2]?.[1]).toBe(600)
})

test('what is thrown in one job ends that job alone, and gives its lock back', async () => {
  const scene = stage()
  const { request } = scene.incus
  scene.incus.request = async (remote, wanted, options) => {
    if (remote === 'slow') throw new Error('\u001b[31ma bug')
    return request.call(scene.incus, remote, wanted, options)
  }
  scene.incus.answer = () => undefined
  const locked = { ...job('a', 'slow'), lock: 'web' }
  const [first] = await linesOf(scene, [locked])
  expect(first).toMatchObject({
    steps: [{ error: { code: 'bad-reply', message: expect.stringContaining('a bug') } }],
  })
  expect(await linesOf(scene, [locked, job('b', 'main')])).toContainEqual({ job: 'b', steps: [{ ok: true }] })
  expect(await linesOf(scene, [{ ...locked, id: 'd', detach: true }])).toContainEqual({
    job: 'd',
    accepted: true,
  })
  const { jobs, remotes } = await scene.clock.until(scene.engine.inventory({ remotes: ['slow', 'main'] }))
  expect(jobs).toMatchObject([{ id: 'd', state: 'unknown', error: { code: 'bad-reply' } }])
  expect(remotes.slow).toMatchObject({ ok: false, error: { code: 'bad-reply' } })
  expect(await linesOf(scene, [{ ...job('e', 'main'), lock: 'web' }])).toContainEqual({
    job: 'e',
    steps: [{ ok: true }],
  })
})

test('a remote with more than the Worker can read is unknown, and the other is passed on', async () => {
  const { clock, engine } = stage()
  const { remotes, jobs } = await clock.until(engine.inventory({ remotes: ['main'] }))
  const { main } = remotes
  if (main?.ok !== true) throw new Error('no inventory')
  const more = { ...main.inventory, projects: Array.from({ length: 1000 }, (_, index) => `p${index}`) }
  const reply: InventoryReply = { jobs, remotes: { main, large: { ok: true, inventory: more } } }
  const arrived = unpackReply(JSON.parse(serializeReply(reply, 5_000)))
  expect(arrived.remotes.main).toEqual(main)
  expect(arrived.remotes.large).toMatchObject({ ok: false, error: { code: 'bad-reply' } })
  expect(unpackReply(JSON.parse(serializeReply(reply)))).toEqual(reply)
})

test.each([
  ['a\u001b[31mb\u0007', 'a [31mb '],
  ['one\r\n\ttwo', 'one two'],
  ['user\u202egpj.exe', 'user gpj.exe'],
  ['half \ud800 of it', 'half   of it'],
  ['naïve 👍 – “words”', 'naïve 👍 – “words”'],
])('a text is made safe: %j', (given, safe) => {
  expect(safeText(given)).toBe(safe)
})

test('a long text keeps its beginning and its end, where the cause stands', () => {
  const text = safeText(`Failed to run rsync: ${'x'.repeat(30_000_000)}: No space left on device`)
  expect(text.length).toBeLessThanOrEqual(800)
  expect(text).toMatch(/^Failed to run rsync: .* … .*: No space left on device$/)
})
