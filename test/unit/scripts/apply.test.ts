import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Ended, runScript } from './script.ts'

const TOKEN = 'right'
const DOCUMENT = { policies: { daily: { schedule: '@daily', keep: { daily: 7, dayly: 2 } } } }
const TEXT = `// nightly\n{\n  "policies": {\n    "daily": {\n      "schedule": "@daily",\n      "keep": { "daily": 7, "dayly": 2 }\n    }\n  }\n}\n`

/** Answers as the API does, and remembers what it was asked. */
let server: Server
let asked: { call: string; body: unknown }[]
let answer: { status: number; body: object }
let folder: string

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = await text(request)
    const isKnown = request.headers.authorization === `Bearer ${TOKEN}`
    if (isKnown) asked.push({ call: `${request.method} ${request.url}`, body: body && JSON.parse(body) })
    const status = isKnown ? answer.status : 401
    const type = status < 400 ? 'application/json' : 'application/problem+json'
    response.writeHead(status, { 'content-type': type })
    response.end(JSON.stringify(isKnown ? answer.body : { title: 'Not authorized', detail: '' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => server.close())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stapes ü '))
  writeFileSync(join(folder, 'stapes.jsonc'), TEXT)
  asked = []
  answer = { status: 200, body: { version: 'v1', policies: ['daily'], warnings: ['mind this'] } }
})
afterEach(() => rmSync(folder, { recursive: true }))

const port = (): string => String((server.address() as AddressInfo).port)
const calls = (): string[] => asked.map(({ call }) => call)

function npmRun(script: string, args: string[] = [], env: Record<string, string> = {}): Promise<Ended> {
  return runScript(script, { cwd: folder, args, env: { STAPES_TOKEN: TOKEN, PORT: port(), ...env } })
}

describe('npm run apply', () => {
  test('applies the document, has it looked at, and tells the warnings', async () => {
    expect(await npmRun('apply')).toEqual({
      code: 0,
      out: ['stapes.jsonc is applied: daily (v1)'],
      errors: ['warning: mind this'],
    })
    expect(asked[0]).toEqual({ call: 'PUT /api/config', body: DOCUMENT })
    expect(calls()).toEqual(['PUT /api/config', 'POST /api/tick'])
  })

  test.for([
    { how: 'behind two dashes', args: ['--dry-run'], env: {} },
    { how: 'before them, where npm takes it for its own', args: [], env: { npm_config_dry_run: 'true' } },
  ])('only checks with --dry-run $how', async ({ args, env }) => {
    const { out } = await npmRun('apply', args, env as Record<string, string>)
    expect(out).toEqual(['stapes.jsonc is valid, and not applied: daily (v1)'])
    expect(calls()).toEqual(['PUT /api/config?dryRun=true'])
  })

  test('takes file, address and token from the same .env as npm start', async () => {
    writeFileSync(join(folder, 'other.jsonc'), '{ "policies": {} }')
    writeFileSync(join(folder, '.env'), `STAPES_FILE=other.jsonc\nPORT=${port()}\nSTAPES_TOKEN=${TOKEN}\n`)
    const { code } = await runScript('apply', { cwd: folder })
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
  beforeEach(() => {
    answer = { status: 200, body: { text: 'nothing to do\n', applied: false, warnings: [] } }
  })

  test('plans by the document, and says that it is not applied', async () => {
    expect(await npmRun('plan')).toEqual({
      code: 0,
      out: ['nothing to do'],
      errors: ['stapes.jsonc differs from the applied configuration; to apply it: npm run apply'],
    })
    expect(asked).toEqual([{ call: 'POST /api/plan', body: { document: DOCUMENT } }])
  })

  test.for([
    { why: 'it is told to', args: ['--applied'], remove: false },
    { why: 'there is no document', args: [], remove: true },
  ])('plans by what is applied where $why', async ({ args, remove }) => {
    if (remove) rmSync(join(folder, 'stapes.jsonc'))
    expect(await npmRun('plan', args)).toMatchObject({ code: 0, errors: [] })
    expect(asked).toEqual([{ call: 'POST /api/plan', body: {} }])
  })
})
