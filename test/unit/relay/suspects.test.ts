/** Lists of one instance's snapshots that disagree: told after Incus itself has said so, until they agree. */
import { expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
import type { InstanceRecord } from '../../../shared/incus/inventory.ts'
import type { BatchLine, Job } from '../../../shared/relay/protocol.ts'
import { type Answer, createFakeIncus, type FakeIncus, sync } from './fake-incus.ts'
import { beforeCopies, copyStep } from './steps.ts'
import { createVirtualClock } from './virtual-clock.ts'

const UNEVEN = "Instance snapshot record count doesn't match instance snapshot volume record count"
const DATE = '2026-11-22T20:00:00Z'
const REMOTES = {
  main: { address: 'https://main' },
  backup: { address: 'https://backup', role: 'target' },
} as const

const WEB = {
  ...{ name: 'web', project: 'p', type: 'container', status: 'Stopped', location: 'none', config: {} },
  ...{ expanded_config: {}, expanded_devices: { root: { type: 'disk', path: '/', pool: 'fast' } } },
}
const ENVIRONMENT = { server: 'incus', server_version: '6.0.4', certificate_fingerprint: 'ab12' }

/** Both servers list these in the pool, and those with the instance. */
const world = (inPool: string[], own: string[]): Record<string, Answer> => ({
  '/1.0': sync({ auth: 'trusted', environment: ENVIRONMENT, api_extensions: [] }),
  '/1.0/projects?recursion=1': sync([{ name: 'p' }]),
  '/1.0/instances?recursion=1&all-projects=true': sync([WEB]),
  '/1.0/operations?recursion=1&all-projects=true': sync({}),
  '/1.0/storage-pools/fast/volumes/container?recursion=1&all-projects=true': sync(
    ['web', ...inPool.map((name) => `web/${name}`)].map((name) => ({ name, project: 'p', created_at: DATE })),
  ),
  '/1.0/instances/web/snapshots?project=p&recursion=1': sync(own.map((name) => ({ name, created_at: DATE }))),
})

const ref = { project: 'p', instance: 'web' }
const copy: Job = {
  id: 'copy',
  steps: [
    copyStep('web', {
      transferMode: 'push',
      source: { remote: 'main', ...ref },
      target: { remote: 'backup', ...ref },
    }),
  ],
}

function open() {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  let copying = false
  const engine = createEngine({
    upstream: { request: (...call) => (copying ? beforeCopies(incus) : incus).request(...call) },
    ...{ clock, remotes: REMOTES, secret: 's' },
  })
  const answer = (pages: Record<string, Answer>, fail: (remote: string) => string) => {
    incus.answer = (remote, { method, path }) =>
      method === 'POST' ? asAsync(incus, fail(remote)) : pages[path]
  }
  const run = async (): Promise<string> => {
    const lines: BatchLine[] = []
    copying = true
    await clock.until(engine.batch({ jobs: [copy] }, (line) => lines.push(line)))
    copying = false
    return JSON.stringify(lines)
  }
  const see = async (remote: 'main' | 'backup'): Promise<InstanceRecord | undefined> => {
    const reply = (await clock.until(engine.inventory({ remotes: [remote] }))).remotes[remote]
    if (reply?.ok !== true) throw new Error('no inventory')
    return reply.inventory.instances[0]
  }
  return { answer, run, see }
}

const asAsync = (incus: FakeIncus, error: string): Answer =>
  incus.operation(error === '' ? { after: 1000 } : { after: 1000, error })

test('of what a copy failed for, both lists are asked on both sides, until they agree', async () => {
  const { answer, run, see } = open()
  const apart = world(['s1'], ['s1', 's2', 's3'])
  answer(apart, () => UNEVEN)
  expect((await see('main'))?.snapshots).toHaveLength(1)
  await run()
  for (const side of ['main', 'backup'] as const) {
    const seen = await see(side)
    expect(seen?.snapshots).toBeNull()
    expect(seen?.torn?.map(([name]) => name)).toEqual(['s2', 's3'])
    expect(seen?.problem).toMatch(
      /its pool does not have.*: s2, s3; delete each with "incus snapshot delete web --project p <name>"/,
    )
  }
  answer(world(['s1'], ['s1']), () => '')
  expect((await see('main'))?.snapshots).toHaveLength(1)
  answer(apart, () => '')
  expect((await see('main'))?.snapshots).toHaveLength(1)
})

test('a pool that has more than the instance lists is told of as well', async () => {
  const { answer, run, see } = open()
  answer(world(['s1', 's2'], ['s1']), () => UNEVEN)
  await run()
  expect((await see('main'))?.problem).toMatch(/its pool has snapshots that Incus does not list.*: s2/)
})

test('of a copy the command is told that lets a new first copy begin', async () => {
  const { answer, run, see } = open()
  const config = { 'user.stapes.replica-of': 'main/p/web' }
  const marked = { ...WEB, config, expanded_config: config }
  answer(
    {
      ...world(['s1', 's2'], ['s1']),
      '/1.0/instances?recursion=1&all-projects=true': sync([marked]),
    },
    () => UNEVEN,
  )
  await run()
  expect((await see('backup'))?.problem).toMatch(/: s2; .*run "incus rename web web-kept --project p" there/)
})

test('no other failure makes anybody suspect', async () => {
  const { answer, run, see } = open()
  answer(world(['s1'], ['s1', 's2']), () => 'No space left on device')
  await run()
  expect((await see('main'))?.snapshots).toHaveLength(1)
})

test('of two ends that failed, the one that says why is told', async () => {
  const { answer, run } = open()
  const closed = 'Error reading migration control source: websocket: close 1000 (normal)'
  answer({}, (remote) => (remote === 'main' ? UNEVEN : closed))
  expect(await run()).toContain(UNEVEN)
  answer({}, (remote) => (remote === 'main' ? closed : 'No space left on device'))
  expect(await run()).toContain('No space left')
})
