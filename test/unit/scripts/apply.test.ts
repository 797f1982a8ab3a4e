import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Ended, linesOf, runInTerminal, runScript } from './script.ts'

const TOKEN = 'right'
const DOCUMENT = { policies: { daily: { schedule: '@daily', keep: { daily: 7, dayly: 2 } } } }
const TEXT = `// nightly\n{\n  "policies": {\n    "daily": {\n      "schedule": "@daily",\n      "keep": { "daily": 7, "dayly": 2 }\n    }\n  }\n}\n`

const PLANNED = { lines: [], text: 'nothing to do\n', applied: false, warnings: [] }
const LOST = {
  about: 'main/default/web',
  sign: '-',
  what: 'daily-20261101T0300Z',
  reason: 'with the next slot',
}
const SIMULATED = {
  text: 'main/default/web\n  - daily-20261101T0300Z  with the next slot\n',
  difference: { lines: [LOST], text: 'main/default/web\n  - daily-20261101T0300Z  with the next slot\n' },
}
/** With this, the document is another one. */
const BEFORE = {
  status: 200,
  body: { version: 'v0', document: { policies: { daily: { schedule: '@daily', keep: { daily: 14 } } } } },
}

/** Answers as the API does, and remembers what it was asked. */
let server: Server
let asked: { call: string; body: unknown }[]
type Answer = { status: number; body: object }
/** By call; else `answer`. */
let answers: Record<string, Answer>
let answer: Answer
let folder: string

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = await text(request)
    const isKnown = request.headers.authorization === `Bearer ${TOKEN}`
    if (isKnown) asked.push({ call: `${request.method} ${request.url}`, body: body && JSON.parse(body) })
    const given = answers[`${request.method} ${request.url}`] ?? answer
    const status = isKnown ? given.status : 401
    const type = status < 400 ? 'application/json' : 'application/problem+json'
    response.writeHead(status, { 'content-type': type })
    response.end(JSON.stringify(isKnown ? given.body : { title: 'Not authorized', detail: '' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => server.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stapes ü '))
  writeFileSync(join(folder, 'stapes.jsonc'), TEXT)
  asked = []
  answers = {
    'GET /api/config': { status: 409, body: { title: 'No configuration', detail: 'apply one first' } },
    'POST /api/plan': { status: 200, body: PLANNED },
    'POST /api/simulate': { status: 200, body: SIMULATED },
  }
  answer = { status: 200, body: { version: 'v1', policies: ['daily'], warnings: ['mind this'] } }
})
afterEach(() => rmSync(folder, { recursive: true }))

const port = (): string => String((server.address() as AddressInfo).port)
const calls = (): string[] => asked.map(({ call }) => call)

function npmRun(script: string, args: string[] = [], env: Record<string, string> = {}): Promise<Ended> {
  return runScript(script, { cwd: folder, args, env: { STAPES_TOKEN: TOKEN, PORT: port(), ...env } })
}

describe('npm run apply', () => {
  const CHECK = 'PUT /api/config?dryRun=true'
  const PREVIEW = [CHECK, 'GET /api/config', 'POST /api/plan', 'POST /api/simulate']
  const APPLY = ['PUT /api/config', 'POST /api/tick']

  test('with --yes applies the document, has it looked at, and tells each warning once', async () => {
    const { code, out, errors } = await npmRun('apply', ['--yes'])
    expect({ code, errors, last: out.at(-1) }).toEqual({
      ...{ code: 0, errors: ['warning: mind this'], last: 'stapes.jsonc is applied: daily (v1)' },
    })
    expect(asked[0]).toEqual({ call: CHECK, body: DOCUMENT })
    expect(asked.at(-2)).toEqual({ call: 'PUT /api/config', body: DOCUMENT })
    expect(calls()).toEqual([...PREVIEW, ...APPLY])
  })

  test('shows what changes, key by key, in the plan, and for the snapshots that exist', async () => {
    answers['GET /api/config'] = BEFORE
    const { out } = await npmRun('apply', ['--yes'])
    expect(out).toEqual([
      'What differs from the applied configuration:',
      '  ~ policies.daily.keep.daily: 14 → 7',
      '  + policies.daily.keep.dayly: 2',
      'What changes for the snapshots that exist:',
      'main/default/web',
      '  - daily-20261101T0300Z  with the next slot',
      'stapes.jsonc is applied: daily (v1)',
    ])
  })

  test('refuses without a terminal and --yes, after it has shown all, and applies nothing', async () => {
    answers['GET /api/config'] = BEFORE
    const { code, out, errors } = await npmRun('apply')
    expect(code).toBe(2)
    expect(out).toContain('  ~ policies.daily.keep.daily: 14 → 7')
    expect(errors.slice(-2)).toEqual([
      'stapes.jsonc was not applied: there is no terminal to ask in.',
      'If the above is what you want: npm run apply -- --yes',
    ])
    expect(calls()).not.toContain('PUT /api/config')
    expect(calls()).not.toContain('POST /api/tick')
  })

  test('names the same file in the command that applies it', async () => {
    writeFileSync(join(folder, 'my edit.jsonc'), '{ "policies": {} }')
    answers['GET /api/config'] = BEFORE
    const { errors } = await npmRun('apply', ['--file', 'my edit.jsonc'])
    expect(errors.at(-1)).toBe("If the above is what you want: npm run apply -- --yes 'my edit.jsonc'")
    const { errors: told } = await npmRun('plan', ['my edit.jsonc'])
    expect(told.at(-1)).toMatch(/to apply it: npm run apply -- 'my edit\.jsonc'$/)
    const { errors: missing } = await npmRun('plan', ['--file', 'none.jsonc'])
    expect(missing.at(-1)).toMatch(/none\.jsonc can't be read: .*; create it, or name another file$/)
  })

  test('--help shows how it is called, and asks nothing', async () => {
    expect(await npmRun('apply', ['--help'])).toEqual({
      ...{ code: 0, out: ['usage: npm run apply [-- --dry-run | --yes] [[--file] file]'], errors: [] },
    })
    expect(calls()).toEqual([])
  })

  test.for([
    { said: 'y', code: 0, applies: true },
    { said: 'n', code: 1, applies: false },
    { said: '', code: 1, applies: false },
  ])('asks in a terminal, and with the answer "$said" applies: $applies', async ({ said, code, applies }) => {
    const ended = await runInTerminal('apply', {
      ...{ cwd: folder, env: { STAPES_TOKEN: TOKEN, PORT: port() }, input: `${said}\n` },
    })
    expect(ended.out.join('\n')).toContain('Apply stapes.jsonc? [y/N]')
    expect({ code: ended.code, applies: calls().includes('PUT /api/config') }).toEqual({ code, applies })
  })

  test('asks nobody where nothing changes, and says so', async () => {
    answers['GET /api/config'] = { status: 200, body: { version: 'v1', document: DOCUMENT } }
    expect(await npmRun('apply')).toEqual({
      code: 0,
      out: ['stapes.jsonc is applied already, and nothing changes: daily (v1)'],
      errors: ['warning: mind this'],
    })
    expect(calls()).toEqual([CHECK, 'GET /api/config', ...APPLY])
  })

  test('asks nonetheless where what goes later could not be simulated, and says so', async () => {
    answers['GET /api/config'] = BEFORE
    answers['POST /api/simulate'] = { status: 500, body: { title: 'Internal error', detail: 'too long' } }
    const { code, errors } = await npmRun('apply')
    expect(code).toBe(2)
    expect(errors).toContain('warning: what goes later could not be simulated: Internal error: too long')
    // At last only for the next slots.
    expect(asked.filter(({ call }) => call === 'POST /api/simulate').map(({ body }) => body)).toEqual([
      { document: DOCUMENT, effort: 600_000 },
      { document: DOCUMENT, effort: 40_000 },
      { document: DOCUMENT, days: 2, effort: 1000 },
    ])
  })

  test.for([
    { how: 'behind two dashes', args: ['--dry-run'], env: {} },
    { how: 'before them, where npm takes it for its own', args: [], env: { npm_config_dry_run: 'true' } },
  ])('only checks and shows with --dry-run $how', async ({ args, env }) => {
    const { code, out } = await npmRun('apply', args, env as Record<string, string>)
    expect({ code, last: out.at(-1) }).toEqual({
      ...{ code: 0, last: 'stapes.jsonc is valid, and not applied: daily (v1)' },
    })
    expect(calls()).toEqual(PREVIEW)
  })

  test('takes file, address and token from the same .env as npm start', async () => {
    writeFileSync(join(folder, 'other.jsonc'), '{ "policies": {} }')
    writeFileSync(join(folder, '.env'), `STAPES_FILE=other.jsonc\nPORT=${port()}\nSTAPES_TOKEN=${TOKEN}\n`)
    const { code } = await runScript('apply', { cwd: folder, args: ['--yes'] })
    expect({ code, body: asked[0]?.body }).toEqual({ code: 0, body: { policies: {} } })
  })

  test('names the line and column of each error that the API finds', async () => {
    const errors = [
      { path: 'policies.daily.keep.dayly', message: 'policies.daily.keep.dayly: unknown key' },
      { path: 'policies.daily.remotes', message: 'expected a list' },
      { path: 'policies.daily.schedule[0]', message: 'no schedule' },
    ]
    answer = { status: 422, body: { title: 'Not valid', detail: '', errors } }
    expect(await npmRun('apply')).toEqual({
      code: 1,
      out: [],
      errors: [
        'stapes.jsonc:6:29: policies.daily.keep.dayly: unknown key',
        'stapes.jsonc:4:5: policies.daily.remotes: expected a list',
        'stapes.jsonc:5:7: policies.daily.schedule[0]: no schedule',
      ],
    })
  })

  test('names both places of a name that stands twice, and asks nobody', async () => {
    writeFileSync(join(folder, 'stapes.jsonc'), '{"policies": {"a": {},\n  "a": {}}}')
    expect((await npmRun('apply')).errors).toEqual([
      'stapes.jsonc:2:3: "a" is given here again, first on line 1, column 15: remove one of them',
    ])
    expect(calls()).toEqual([])
  })

  test.for([
    {
      wrong: 'the token is missing',
      env: { STAPES_TOKEN: '' },
      said: /STAPES_TOKEN is not set: npm start prints/,
    },
    { wrong: 'the token is another', env: { STAPES_TOKEN: 'x' }, said: /rejects this STAPES_TOKEN/ },
    { wrong: 'nobody listens', env: { PORT: '9' }, said: /127\.0\.0\.1:9 can't be reached .*is it running/ },
    {
      wrong: 'there is no file',
      env: { STAPES_FILE: 'none.jsonc' },
      said: /none\.jsonc can't be read: it does not exist/,
    },
  ])('says what to do where $wrong', async ({ env, said }) => {
    const { code, errors } = await npmRun('apply', [], env as Record<string, string>)
    expect(code).not.toBe(0)
    expect(errors[0]).toMatch(said)
  })
})

describe('npm run plan', () => {
  const TOLD = ['nothing to do', 'The snapshots that exist, within a year:', ...linesOf(SIMULATED.text)]
  const DIFFERS = 'stapes.jsonc differs from the applied configuration; to apply it: npm run apply'

  test('plans by the document before anything was applied, with what goes later', async () => {
    expect(await npmRun('plan')).toEqual({
      code: 0,
      out: TOLD,
      errors: [DIFFERS],
    })
    expect(asked.slice(0, 2)).toEqual([
      { call: 'POST /api/plan', body: { document: DOCUMENT } },
      { call: 'POST /api/simulate', body: { document: DOCUMENT, effort: 600_000 } },
    ])
  })

  test('says what an edit changes, and applies nothing', async () => {
    answers['GET /api/config'] = BEFORE
    const { out } = await npmRun('plan')
    expect(out.slice(TOLD.length)).toEqual([
      'What differs from the applied configuration:',
      '  ~ policies.daily.keep.daily: 14 → 7',
      '  + policies.daily.keep.dayly: 2',
      'What changes for the snapshots that exist:',
      ...linesOf(SIMULATED.difference.text),
    ])
    expect(calls().filter((call) => call.startsWith('PUT') || call.endsWith('tick'))).toEqual([])
  })

  test.for([[['--file', 'edit.jsonc']], [['edit.jsonc']]])('plans the file of %j', async ([args]) => {
    writeFileSync(join(folder, 'edit.jsonc'), '{ "policies": {} }')
    await npmRun('plan', args)
    expect(asked[0]).toEqual({ call: 'POST /api/plan', body: { document: { policies: {} } } })
  })

  test('gives it all to machines with --json', async () => {
    const { out, errors } = await npmRun('plan', ['--json'])
    expect(JSON.parse(out.join('\n'))).toEqual({ plan: PLANNED, simulation: SIMULATED })
    expect(errors).toEqual([DIFFERS])
  })

  test.for([
    { why: 'it is told to', args: ['--applied'], remove: false },
    { why: 'there is no document', args: [], remove: true },
  ])('plans by what is applied where $why', async ({ args, remove }) => {
    if (remove) rmSync(join(folder, 'stapes.jsonc'))
    expect(await npmRun('plan', args)).toEqual({ code: 0, out: TOLD, errors: [] })
    expect(asked).toEqual([
      { call: 'POST /api/plan', body: {} },
      { call: 'POST /api/simulate', body: { effort: 600_000 } },
    ])
  })
})
