/**
 * Names that are members of every object: of policies, remotes, projects, instances, snapshots, profiles, devices,
 * groups and keys. Whole ticks, requests, commands and ledgers, with any mixture of them.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { parseLedger } from '../../shared/ledger/parse-ledger.ts'
import { slackCommand } from '../chat/slack-request.ts'
import { instanceOf, seedInstance, seedProfile, seedProject, write } from '../emulator/scene.ts'
import { createDice } from '../fuzz/hostile.ts'
import { openWorker, SECRETS, type Worker } from '../fuzz/worker.ts'
import { nextMinute } from './passing.ts'
import { createWorld, settledRelay, type World } from './world.ts'

const START = new Date('2026-11-20T00:00:30Z')

const ANY = [
  'constructor',
  'toString',
  '__proto__',
  'hasOwnProperty',
  'valueOf',
  'isPrototypeOf',
  '__defineGetter__',
]
/** Those that a remote and an instance may be called by their own rules. */
const PLAIN = ANY.filter((name) => /^[A-Za-z]+$/.test(name))
/** Policies and groups are called in lower case. */
const LOW = 'constructor'

type Names = Record<
  'main' | 'backup' | 'project' | 'instance' | 'snapshot' | 'profile' | 'device' | 'key',
  string
>

function namesOf(seed: number): Names {
  const dice = createDice(seed)
  const main = dice.pick(PLAIN)
  const backup = dice.pick(PLAIN.filter((name) => name !== main))
  return {
    ...{ main, backup, project: dice.pick(ANY), instance: dice.pick(PLAIN), snapshot: dice.pick(ANY) },
    ...{ profile: dice.pick(ANY), device: dice.pick(PLAIN), key: `user.${dice.pick(ANY)}` },
  }
}

const documentOf = ({ main, backup, project, key }: Names) => ({
  policies: {
    [LOW]: {
      select: { remotes: [main], projects: [project], config: { [key]: 'x' } },
      schedule: '*/15 * * * *',
      keep: { last: 2 },
      copy: { remote: backup },
    },
  },
  access: {
    groups: { [LOW]: ['slack:T1DC2JH3J/U2CERLKJA'] },
    grants: [{ who: [`group:${LOW}`], role: 'admin' }],
  },
})

type Scene = { world: World; worker: Worker; at: string; pass(minutes: number): Promise<void> }

async function open(names: Names): Promise<Scene> {
  const world = createWorld({ start: START, names: { main: names.main, backup: names.backup } })
  for (const incus of [world.incus.main, world.incus.backup]) {
    seedProject(incus, names.project)
    seedProfile(incus, names.profile, { [`environment.${names.snapshot}`]: 'e' })
  }
  const where = { project: names.project, name: names.instance }
  const config = { [names.key]: 'x', [`user.stapes.hold.${names.snapshot}`]: 'audit' }
  const profiles = ['default', names.profile]
  const web = seedInstance(world.incus.main, { ...where, running: true, profiles, config })
  web.devices[names.device] = { type: 'none' }
  write(web, 'web', 1000)
  const call = { method: 'POST' as const, body: { name: names.snapshot } }
  const project = encodeURIComponent(names.project)
  const path = `/1.0/instances/${names.instance}/snapshots?project=${project}`
  expect((await world.incus.main.handle({ ...call, path })).status).toBeLessThan(400)
  await world.clock.advance(world.clock.now() + 2000)
  await world.apply(documentOf(names))
  return {
    ...{
      world,
      worker: openWorker({ world, relay: settledRelay(world) }),
      at: `${names.main}/${names.project}/${names.instance}`,
    },
    async pass(minutes) {
      for (let minute = 0; minute < minutes; minute++) {
        const ran = await world.tick(nextMinute(world))
        expect(ran).not.toHaveProperty('threw')
        if ('problems' in ran) expect(ran.problems).toEqual([])
      }
    },
  }
}

async function ask({ worker }: Scene, method: string, path: string, body?: unknown): Promise<unknown> {
  const headers = { authorization: `Bearer ${SECRETS.api}` }
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
  const response = await worker.send(path, init)
  const text = await response?.text()
  expect([path, body, response?.status, text]).toEqual([path, body, 200, text])
  return JSON.parse(text ?? '')
}

/** The same line twice in a second is signed with a number of its own. */
let said = 0

async function say({ worker }: Scene, line: string): Promise<string> {
  const caller = {
    signingSecret: SECRETS.slack,
    at: worker.now(),
    responseUrl: `https://hooks.slack.com/x/${++said}`,
  }
  const { headers, body } = slackCommand(line, caller)
  const response = await worker.send('/chat/slack', { method: 'POST', headers, body })
  expect([line, response?.status]).toEqual([line, 200])
  return (await response?.text()) ?? ''
}

beforeAll(() => {
  for (const name of ['error', 'log'] as const) vi.spyOn(console, name).mockImplementation(() => {})
  vi.stubGlobal('fetch', async () => Response.json({ ok: true }))
})
afterAll(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

describe.each(Array.from({ length: 12 }, (_, at) => [at + 1, namesOf(at + 1)] as const))(
  '%i: %j',
  (_, names) => {
    test('slots are served, copies are verified, and the held snapshot stays on both', async () => {
      const { world, pass } = await open(names)
      await pass(50)
      const where = { project: names.project, name: names.instance }
      const there = [...instanceOf(world.incus.main, where).snapshots.keys()]
      expect(there).toContain(names.snapshot)
      expect(there).toHaveLength(4)
      const copy = instanceOf(world.incus.backup, where)
      expect([...copy.snapshots.keys()]).toEqual(there)
      expect(copy.config['user.stapes.verified']?.split(' ')).toHaveLength(4)
      expect(copy.devices[names.device]).toEqual({ type: 'none' })
    })

    test('the ledger is read as it was written', async () => {
      const { world, pass } = await open(names)
      await pass(20)
      const written: unknown = JSON.parse(world.kv.peek('ledger') ?? '')
      const { ledger, ...rest } = parseLedger(written)
      expect(JSON.parse(JSON.stringify(ledger))).toEqual(written)
      expect(rest).toEqual({ lost: [] })
    })

    test('the API and chat tell and change the same things as under other names', async () => {
      const scene = await open(names)
      const { world, worker, at, pass } = scene
      await ask(scene, 'PUT', '/api/config', documentOf(names))
      await pass(17)
      await ask(scene, 'POST', '/api/tick')
      const { instances } = (await ask(scene, 'GET', '/api/instances')) as { instances: object[] }
      expect(instances).toMatchObject([{ instance: at }])
      const status = JSON.stringify(await ask(scene, 'GET', '/api/status'))
      expect(status).toContain(LOW)
      await ask(scene, 'POST', '/api/run', { do: 'release', instance: at, snapshot: names.snapshot })
      await ask(scene, 'POST', '/api/run', { do: 'hold', instance: at, snapshot: names.snapshot, note: 'n' })
      expect(
        instanceOf(world.incus.main, { project: names.project, name: names.instance }).config,
      ).toMatchObject({ [`user.stapes.hold.${names.snapshot}`]: expect.any(String) })
      await ask(scene, 'POST', '/api/plan', { do: 'copy', instances: [at] })
      await ask(scene, 'POST', '/api/plan', { do: 'restore', instance: at, snapshot: names.snapshot })
      await ask(scene, 'GET', '/api/history')
      for (const line of [
        'status',
        `status ${at}`,
        `list ${at}`,
        'plan',
        'missed',
        'policies',
        'history',
        'whoami',
      ])
        await say(scene, line)
      for (const line of [`pause ${LOW}`, `resume ${LOW}`, `now ${at}`, `restore ${at} ${names.snapshot}`])
        await say(scene, line)
      expect([...worker.kv.values.keys()].filter((key) => key.startsWith('audit:')).length).toBeGreaterThan(2)
    })
  },
)

test('a ledger in which every map has such keys is read, and none of them is lost but the one that is no key', () => {
  const entries = <Value>(value: Value) =>
    JSON.parse(`{${ANY.map((name) => `"${name}": ${JSON.stringify(value)}`).join(',')}}`)
  const policy = { accounted: '2026-11-20T00:00:00.000Z', open: null, slots: [] }
  const { ledger } = parseLedger({
    ...{
      config: 'v',
      wakeAt: null,
      work: entries({ state: 'running', attempts: 0, at: '2026-11-20T00:00:00.000Z' }),
    },
    ...{
      policies: entries(policy),
      frozen: entries({ by: 'x', attempts: 0 }),
      sight: { covered: entries('a') },
      runs: [],
    },
  })
  expect(Object.keys(ledger?.policies ?? {})).toEqual(ANY.filter((name) => name !== '__proto__'))
  expect(Object.getPrototypeOf(ledger?.policies)).toBe(Object.prototype)
})
