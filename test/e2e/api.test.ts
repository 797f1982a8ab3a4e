/** The HTTP API of the real Worker, black box, in front of the embedded pair. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSession } from '../../scripts/session.ts'
import { takeSnapshot } from '../contract/calls.ts'
import { createSide } from '../contract/side.ts'
import { openEmbedded } from '../emulator/contract-pair.ts'
import { callWith } from '../unit/cli/shell.ts'
import { nextSecond, openStage, type Stage } from './stage.ts'

const INSTANCES = ['api-web']

let stage: Stage
beforeAll(async () => {
  stage = await openStage(async () => ({ ...(await openEmbedded()), restore: async () => null }))
  for (const name of INSTANCES) await stage.pair.main.createInstance({ name })
  return () => stage.close()
})

type Recorded = { what: string }

type Problem = { title: string; status: number; detail: string; errors?: { path: string; message: string }[] }

/** Insists on problem+json, and on the status standing in it. */
async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const problem = (await response.json()) as Problem
  expect(problem.status).toBe(response.status)
  return problem
}

const put = (document: unknown, query = ''): Promise<Response> =>
  stage.worker.fetch(`/api/config${query}`, { method: 'PUT', body: JSON.stringify(document) })

const policyFor = (more: object) => ({
  policies: { hourly: { schedule: '@hourly', remotes: ['main'], ...more } },
})

describe('the door', () => {
  test.for([
    ['without a token', null],
    ['with another token', 'guess'],
  ] as const)('is shut %s, and says how it opens', async ([, token]) => {
    const problem = await problemOf(await stage.worker.fetch('/api/status', { token }))
    expect(problem).toMatchObject({ status: 401, detail: expect.stringContaining('Authorization: Bearer') })
  })

  test('takes the name of the scheme in any case', async () => {
    const headers = { authorization: `bEaReR ${stage.worker.token}` }
    expect((await stage.worker.fetch('/api/status', { token: null, headers })).status).toBe(200)
  })

  test('shows what there is, where there is nothing', async () => {
    const problem = await problemOf(await stage.worker.fetch('/nothing'))
    expect(problem).toMatchObject({ status: 404, detail: expect.stringContaining('/openapi.json') })
  })

  test('opens for the description of the API, which is valid OpenAPI and names every endpoint', async () => {
    const described = (await (await stage.worker.fetch('/openapi.json', { token: null })).json()) as {
      paths: Record<string, object>
    }
    const validated = await new Validator().validate(described)
    expect(validated).toMatchObject({ valid: true })
    const calls = Object.entries(described.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(calls).toEqual([
      'GET /api/status',
      'GET /api/progress',
      'GET /api/health',
      'GET /api/doctor',
      'GET /metrics',
      'GET /api/instances',
      'GET /api/snapshots',
      'GET /api/exports',
      'GET /api/files',
      'GET /api/files/content',
      'POST /api/plan',
      'POST /api/simulate',
      'POST /api/run',
      'POST /api/tick',
      'POST /api/notify/test',
      'POST /api/command',
      'GET /api/history',
      'GET /api/config',
      'PUT /api/config',
      'POST /api/retention/preview',
    ])
  })
})

describe('before a configuration was applied', () => {
  beforeEach(() => stage.worker.wipeKv())

  test.for([
    ['GET', '/api/config'],
    ['GET', '/api/instances'],
    ['POST', '/api/plan'],
    ['POST', '/api/simulate'],
  ] as const)('%s %s says to apply one', async ([method, path]) => {
    const problem = await problemOf(await stage.worker.fetch(path, { method }))
    expect(problem).toMatchObject({ status: 409, detail: expect.stringContaining('PUT /api/config') })
  })

  test('a tick has nothing to do', async () => {
    const response = await stage.worker.fetch('/api/tick', { method: 'POST' })
    expect(await response.json()).toEqual({ state: 'unconfigured', problems: [] })
  })
})

test('a body that is too long is refused before it is read', async () => {
  const body = JSON.stringify({ do: 'hold', note: 'x'.repeat(2 * 1024 * 1024) })
  const problem = await problemOf(await stage.worker.fetch('/api/run', { method: 'POST', body }))
  expect(problem).toMatchObject({ status: 413, detail: 'at most 2097152 bytes are taken' })
})

describe('a configuration', () => {
  beforeEach(() => stage.worker.wipeKv())

  test('that is broken is refused as a whole, each error with its path and what was expected', async () => {
    const problem = await problemOf(await put(policyFor({ keep: { daily: 'seven' }, pause: true })))
    expect(problem.status).toBe(422)
    expect(problem.errors).toEqual([
      { path: 'policies.hourly.keep.daily', message: expect.stringContaining('expected a whole number') },
      { path: 'policies.hourly.pause', message: expect.stringContaining('paused') },
    ])
    expect(await stage.worker.readKv()).toEqual({})
  })

  test('that is no JSON is refused with the line', async () => {
    const response = await stage.worker.fetch('/api/config', { method: 'PUT', body: '{\n  "policies" 3\n}' })
    expect(await problemOf(response)).toMatchObject({
      status: 400,
      detail: expect.stringContaining('line 2'),
    })
  })

  test('that says a name twice is refused with both places', async () => {
    const text = JSON.stringify(policyFor({ keep: { daily: 30 } })).replace(
      '{"daily":30}',
      '$&,\n"keep":{"last":1}',
    )
    const response = await stage.worker.fetch('/api/config', { method: 'PUT', body: text })
    expect(await problemOf(response)).toMatchObject({
      status: 400,
      detail: expect.stringMatching(
        /^line 2, column 1: "keep" is given here again, first on line 1, column \d+/,
      ),
    })
    expect(await stage.worker.readKv()).toEqual({})
  })

  test('that names a remote which the relay does not know is refused, with those it knows', async () => {
    const problem = await problemOf(await put(policyFor({ copy: { remote: 'moon' } })))
    expect(problem.status).toBe(422)
    expect(problem.errors).toEqual([
      { path: 'policies.hourly.copy.remote', message: expect.stringMatching(/"moon".*main, backup/) },
    ])
    expect(await stage.worker.readKv()).toEqual({})
  })

  test('is only checked in a dry run', async () => {
    expect((await put(policyFor({}), '?dryRun=true')).status).toBe(200)
    expect(await stage.worker.readKv()).toEqual({})
  })

  test.for([
    ['an instance', { instances: ['api-web', 'api-wbe'] }, /"api-wbe" on main.*did you mean "api-web"/],
    ['a project', { projects: ['default', 'prdo'] }, /there is no project "prdo" on main/],
    ['nothing at all', { instances: ['db*'] }, /policy hourly: it matches no instance \(db\*/],
  ] as const)('that names %s which is not there is taken with a warning', async ([, select, warning]) => {
    const applied = await (await put(policyFor({ select, remotes: ['main'] }))).json()
    expect(applied).toMatchObject({ warnings: expect.arrayContaining([expect.stringMatching(warning)]) })
  })

  test('that leaves an instance to no policy is taken with a warning, before anything is missed', async () => {
    const applied = await (
      await put(policyFor({ select: { instances: ['db*'] }, remotes: ['main'] }), '?dryRun=true')
    ).json()
    const warning = /^under no policy, so not backed up, (is|are) on main\/default: .*api-web.*exclude=true$/
    expect(applied).toMatchObject({ warnings: expect.arrayContaining([expect.stringMatching(warning)]) })
  })

  test('comes back as it was given', async () => {
    const document = policyFor({ keep: { last: 2 } })
    expect(await (await put(document)).json()).toMatchObject({ policies: ['hourly'], warnings: [] })
    const config = await (await stage.worker.fetch('/api/config')).json()
    expect(config).toMatchObject({ document })
  })

  test('may be the example that comes with stapes', async () => {
    const body = readFileSync(join(import.meta.dirname, '../../stapes.jsonc'), 'utf8')
    const response = await stage.worker.fetch('/api/config', { method: 'PUT', body })
    expect(await response.json()).toMatchObject({ policies: ['hourly', 'daily'], warnings: [] })
  })
})

describe('a dry run', () => {
  test('gives the plan with its reasons, and changes nothing anywhere', async () => {
    await stage.worker.wipeKv()
    await put(policyFor({}))
    const before = await stage.worker.readKv()
    const plan = (await (await stage.worker.fetch('/api/plan', { method: 'POST' })).json()) as {
      lines: object[]
      text: string
    }
    // Its first snapshot comes at the next full five minutes; in the first ones of an hour that is the slot itself.
    expect(plan.text).toMatch(
      /main\/default\/api-web\n {2}(\+ hourly-\S+ {2}(it has no snapshot|slot \S+ is due)|… hourly takes its snapshot)/,
    )
    expect(plan.lines).toContainEqual(expect.objectContaining({ about: 'main/default/api-web' }))
    expect(await stage.worker.readKv()).toEqual(before)
    const { instances } = (await (await stage.worker.fetch('/api/instances')).json()) as {
      instances: { snapshots: unknown[] }[]
    }
    expect(instances.map(({ snapshots }) => snapshots)).toEqual([[]])
  })
})

describe('a simulation', () => {
  const simulate = (body: unknown): Promise<Response> =>
    stage.worker.fetch('/api/simulate', { method: 'POST', body: JSON.stringify(body) })

  test('of a document counts what there will be, and applies nothing', async () => {
    await stage.worker.wipeKv()
    const document = policyFor({ keep: { last: 3 } })
    const simulated = await (await simulate({ document, days: 2 })).json()
    expect(simulated).toMatchObject({
      applied: false,
      cut: null,
      warnings: [],
      text: expect.stringContaining('main/default/api-web\n  = '),
      subjects: [
        {
          subject: 'main/default/api-web',
          removals: [],
          counts: [{}, {}, { in: [{ of: 'main/default/api-web', snapshots: 4 }] }],
        },
      ],
    })
    expect(await stage.worker.readKv()).toEqual({})
  })

  test('without one is of what is applied, and says where it ends', async () => {
    await stage.worker.wipeKv()
    await put(policyFor({}))
    const before = await stage.worker.readKv()
    const simulated = await (await simulate({ effort: 400 })).json()
    expect(simulated).toMatchObject({ applied: true, cut: expect.stringContaining('1 of 1 instances') })
    expect(await stage.worker.readKv()).toEqual(before)
  })

  test.for([
    [{ policy: 'hurly' }, /there is no policy "hurly".*did you mean "hourly"/],
    [{ subject: 'api-wbe' }, /no instance matches "api-wbe".*did you mean/],
    [{ days: 0 }, /days/],
    [{ document: policyFor({ keep: { daily: 'x' } }) }, /expected a whole number/],
  ] as const)('of %j is refused with what is wrong', async ([body, detail]) => {
    await stage.worker.wipeKv()
    await put(policyFor({}))
    const problem = await problemOf(await simulate(body))
    expect(problem).toMatchObject({ status: 422, detail: expect.stringMatching(detail) })
  })
})

describe('a dry run of a document', () => {
  const plan = (body: unknown): Promise<Response> =>
    stage.worker.fetch('/api/plan', { method: 'POST', body: JSON.stringify(body) })

  test('tells what applying it would do, before anything was ever applied, and applies nothing', async () => {
    await stage.worker.wipeKv()
    const planned = await (await plan({ document: policyFor({}) })).json()
    expect(planned).toMatchObject({
      applied: false,
      warnings: [],
      text: expect.stringContaining('hourly'),
    })
    expect(await stage.worker.readKv()).toEqual({})
  })

  test('says whether it is the applied one', async () => {
    await stage.worker.wipeKv()
    await put(policyFor({}))
    expect(await (await plan({ document: policyFor({}) })).json()).toMatchObject({ applied: true })
    const other = await (await plan({ document: policyFor({ schedule: '@daily' }) })).json()
    expect(other).toMatchObject({ applied: false })
  })

  test('that is not valid is refused as when it is applied', async () => {
    const problem = await problemOf(await plan({ document: policyFor({ pause: true }) }))
    expect(problem.errors).toEqual([{ path: 'policies.hourly.pause', message: expect.any(String) }])
  })
})

describe('what somebody asks for', () => {
  beforeEach(async () => {
    await stage.worker.wipeKv()
    await put(policyFor({}))
  })
  const run = (body: unknown): Promise<Response> =>
    stage.worker.fetch('/api/run', { method: 'POST', body: JSON.stringify(body) })

  test('is taken at once', async () => {
    expect(await (await run({ policies: ['hourly'] })).json()).toMatchObject({
      state: 'ran',
      taken: 1,
      problems: [],
    })
  })

  test('of a policy that there is not, is refused with those that there are', async () => {
    const problem = await problemOf(await run({ policies: ['weekly'] }))
    expect(problem).toMatchObject({ status: 422, detail: expect.stringMatching(/"weekly".*hourly/) })
  })

  test('in words that the API does not know is refused', async () => {
    expect(await problemOf(await run({ policy: 'hourly' }))).toMatchObject({ status: 422 })
  })
})

describe('what loses data', () => {
  const [OLD, NEW] = ['as it was', 'as it is now']
  const post = (path: string, body: object): Promise<Response> =>
    stage.worker.fetch(path, { method: 'POST', body: JSON.stringify(body) })
  const jsonOf = async <Body>(response: Promise<Response>): Promise<Body> =>
    (await (await response).json()) as Body

  /** The wish to put an instance that has changed since its only snapshot back to that. */
  const prepare = async (name: string, more: object = {}) => {
    await put(policyFor({ schedule: '0 0 1 1 *', ...more }))
    const { main } = stage.pair
    await main.createInstance({ name })
    await main.write({ name }, OLD, 1000)
    const { lines } = await jsonOf<{ lines: { what: string }[] }>(post('/api/run', { instances: [name] }))
    await main.write({ name }, NEW, 1000)
    return { do: 'restore', instance: name, snapshot: lines[0]?.what ?? '' }
  }
  const dataOf = (name: string): Promise<string | null> => stage.pair.main.readMarker({ name })

  test('is shown with a digest, without which nothing happens', async () => {
    const wish = await prepare('api-shown')
    const plan = await jsonOf<{ digest: string; approval: string }>(post('/api/plan', wish))
    expect(plan).toMatchObject({ digest: expect.stringMatching(/^[\w-]{11}$/), approval: 'self' })
    const unconfirmed = await problemOf(await post('/api/run', wish))
    expect(unconfirmed).toMatchObject({ status: 409, title: 'Not confirmed' })
    const other = await problemOf(await post('/api/run', { ...wish, confirm: 'AAAAAAAAAAA' }))
    expect(other).toMatchObject({ status: 409, title: 'The plan has changed' })
    expect(await dataOf('api-shown')).toBe(NEW)
  })

  test.each([
    ['5d', 1, 'expire api-grace5d --snapshot=manual-* --grace=432000s'],
    ['0', 0, 'expire api-grace0 --snapshot=manual-* --now'],
  ])(
    'is removed after a grace of %s, and stands in the history as one would type it',
    async (grace, left, line) => {
      const name = `api-grace${grace}`
      await prepare(name)
      const taken = async (): Promise<string[]> => {
        const { instances } = await jsonOf<{
          instances: { instance: string; snapshots: { name: string }[] }[]
        }>(stage.worker.fetch('/api/instances'))
        const one = instances.find(({ instance }) => instance === `main/default/${name}`)
        return (one?.snapshots ?? []).map((snapshot) => snapshot.name)
      }
      const wish = { do: 'expire', instances: [name], snapshots: ['manual-*'], grace }
      expect((await problemOf(await post('/api/plan', { ...wish, grace: 'soon' }))).detail).toContain(
        'grace: expected',
      )
      // The newest snapshot is never removed.
      const side = createSide(stage.pair.main)
      await nextSecond()
      await takeSnapshot(side, { name }, 'by-hand')
      await side.close()
      const { digest } = await jsonOf<{ digest: string }>(post('/api/plan', wish))
      expect(await jsonOf<object>(post('/api/run', { ...wish, confirm: digest }))).toMatchObject({
        state: 'ran',
      })
      expect((await taken()).filter((one) => one.startsWith('manual-'))).toHaveLength(left)
      const { records } = await jsonOf<{ records: Recorded[] }>(stage.worker.fetch('/api/history?count=50'))
      expect(records.map(({ what }) => what)).toContain(line)
    },
  )

  test('is done once it is confirmed, and stands in the history with its plan and outcome', async () => {
    const name = 'api-done'
    const wish = await prepare(name)
    const { digest } = await jsonOf<{ digest: string }>(post('/api/plan', wish))
    const run = await jsonOf<object>(post('/api/run', { ...wish, confirm: digest }))
    expect(run).toMatchObject({ state: 'ran', started: { restores: [`main/default/${name}`] } })
    await expect.poll(() => dataOf(name)).toBe(OLD)
    let ticks = 0
    const outcome = async (): Promise<object | undefined> => {
      await stage.worker.tick(new Date(Date.now() + ++ticks * 60_000))
      const { records } = await jsonOf<{ records: Recorded[] }>(stage.worker.fetch('/api/history?count=50'))
      return records.find(({ what }) => what === `restore ${name} ${wish.snapshot}`)
    }
    await expect.poll(outcome, { timeout: 10_000 }).toMatchObject({
      ...{ who: 'api', plan: digest, instances: [`main/default/${name}`] },
      outcome: { state: 'done' },
    })
  })

  test('is not done over the API where a policy demands a second person', async () => {
    const wish = await prepare('api-second', { approval: 'second' })
    const { digest, approval } = await jsonOf<{ digest: string; approval: string }>(post('/api/plan', wish))
    expect(approval).toBe('second')
    const problem = await problemOf(await post('/api/run', { ...wish, confirm: digest }))
    expect(problem).toMatchObject({ status: 403, title: 'A second person has to confirm it' })
    expect(await dataOf('api-second')).toBe(NEW)
  })
})

test.for(['0', '51', 'many'])('a history of %s records is refused', async (count) => {
  const problem = await problemOf(await stage.worker.fetch(`/api/history?count=${count}`))
  expect(problem).toMatchObject({ status: 422, detail: expect.stringContaining('1 to 50') })
})

describe('the preview of a retention', () => {
  const preview = (body: unknown): Promise<Response> =>
    stage.worker.fetch('/api/retention/preview', { method: 'POST', body: JSON.stringify(body) })

  test('tells what stays and why, and what goes', async () => {
    const days = ['2026-11-20', '2026-11-21', '2026-11-22']
    const snapshots = days.map((day) => ({ name: day, takenAt: `${day}T03:00:00Z`, held: false }))
    const response = await preview({
      keep: { daily: 2 },
      timezone: 'UTC',
      now: '2026-11-22T12:00:00Z',
      snapshots,
    })
    expect(await response.json()).toEqual({
      keep: [
        { name: '2026-11-22', reasons: ['daily 1 of 2'] },
        { name: '2026-11-21', reasons: ['daily 2 of 2'] },
      ],
      expire: [{ name: '2026-11-20', reason: expect.stringMatching(/./) }],
    })
  })

  test('refuses a zone that there is not', async () => {
    const problem = await problemOf(await preview({ keep: {}, timezone: 'Mars', snapshots: [] }))
    expect(problem).toMatchObject({ status: 422, detail: expect.stringContaining('Europe/Berlin') })
  })
})

// Last: its tick takes snapshots.
describe('the doctor', () => {
  type Found = {
    tone: string
    findings: { code: string; about: string | null; cure: string }[]
    fine: string[]
  }
  const ask = async (): Promise<Found> => (await (await stage.worker.fetch('/api/doctor')).json()) as Found
  const codes = ({ findings }: Found, of: string | null): string[] =>
    findings.filter(({ about }) => about === of).map(({ code }) => code)

  test('says that nothing is applied, and that it has looked at no server', async () => {
    await stage.worker.wipeKv()
    const found = await ask()
    expect([found.tone, codes(found, null)]).toEqual(['bad', ['config-missing', 'kv-writes']])
    expect(found.fine).toEqual(['relay', 'certificates'])
  })

  test('looks at all that is named, and has a cure for each finding', async () => {
    await stage.apply(policyFor({ copy: { remote: 'backup' } }))
    await stage.worker.fetch('/api/tick', { method: 'POST' })
    const found = await ask()
    expect(codes(found, 'main')).toContain('version-advisories')
    expect(codes(found, 'backup')).toContain('version-advisories')
    expect(found.fine).toEqual(expect.arrayContaining(['relay', 'clocks', 'keys']))
    expect(found.findings.filter(({ cure }) => cure === '')).toEqual([])
  })

  test('is the same by the command line', async () => {
    const { worker } = stage
    const fetcher = ((url: URL) => worker.fetch(url.pathname)) as unknown as typeof fetch
    const session = createSession('http://stapes', worker.token, fetcher)
    const { code, out } = await callWith(session, ['doctor', '--json'])
    const found = await ask()
    const told = JSON.parse(out) as Found
    expect([code, told.tone]).toEqual([3, 'warning'])
    expect(told.findings.map(({ code: one }) => one)).toEqual(found.findings.map(({ code: one }) => one))
  })

  test('says while the relay is away that it is, and calls nothing fine that it could not look at', async () => {
    await stage.relay.stop()
    const found = await ask()
    await stage.relay.start()
    expect(codes(found, null)).toContain('relay-silent')
    expect(codes(found, 'main')).toContain('clock-unknown')
    expect(found.fine).not.toContain('keys')
  })
})
