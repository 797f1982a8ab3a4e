/** KV takes no writes, as when the day's allowance is used up: what is requested happens all the same, and is recorded. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Relay, startRelay } from '../../../relay/relay.ts'
import type { PlatformName } from '../../../shared/chat/actor.ts'
import { type Doors, type Knocker, openDoors, RELAY_SECRET } from '../../chat/doors.ts'
import { type EmbeddedContractPair, openEmbedded } from '../../emulator/contract-pair.ts'
import { instanceOf } from '../../emulator/scene.ts'

const TOKEN = /c\.[\w-]+\.[0-9a-z]+\.[\w-]{11}\.[\w-]{22}/

const PLATFORMS: readonly PlatformName[] = ['slack', 'discord', 'mattermost']

const ANN: Record<PlatformName, Knocker> = {
  slack: { team: 'T024BE7LD', channel: 'C8PSS9T3V', user: 'U024BE7LH' },
  discord: { team: '197038439483310086', channel: '4200000000000000001', user: '80351110224678912' },
  mattermost: { team: 't'.repeat(26), channel: 'c'.repeat(26), user: 'u'.repeat(26) },
}
const DOCUMENT = {
  policies: { daily: { remotes: ['main'], schedule: '0 0 1 1 *' } },
  access: {
    grants: PLATFORMS.map((platform) => ({
      who: [`${platform}:${ANN[platform].team}/${ANN[platform].user}`],
      role: 'admin',
    })),
  },
}

const reach = fetch
let pair: EmbeddedContractPair
let relay: Relay
let doors: Doors
/** Lines of the relay's log; what was sent to the platforms; whether the relay is there. */
let log: string[]
let told: string[]
let up: boolean

beforeAll(async () => {
  pair = await openEmbedded()
  const { url, fingerprint, clients } = pair.main
  relay = await startRelay({
    listen: { host: '127.0.0.1', port: 0 },
    keys: { k: RELAY_SECRET },
    client: { certificate: clients.trusted.cert, key: clients.trusted.key },
    remotes: { main: { url, fingerprint, address: url } },
    log: (line) => log.push(line),
  })
})
afterAll(async () => {
  await relay.close()
  await pair.close()
})

let count = 0
let name: string

beforeEach(async () => {
  ;[log, told, up] = [[], [], true]
  name = `web${++count}`
  vi.spyOn(console, 'log').mockImplementation(() => {})
  vi.spyOn(console, 'error').mockImplementation(() => {})
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
    told.push(String(init.body))
    return Response.json({ ok: true })
  })
  doors = openDoors(new Date(), async (request) => {
    if (!up) return new Response('', { status: 503 })
    const path = new URL(request.url).pathname
    return reach(`${relay.url}${path}`, {
      method: 'POST',
      headers: request.headers,
      body: await request.text(),
    })
  })
  await pair.main.createInstance({ project: 'default', name, running: true })
  await api('/api/config', 'PUT', DOCUMENT)
  const taken = await api('/api/run', 'POST', { instances: [name] })
  expect(taken).toMatchObject({ taken: 1 })
  await until(() => snapshots().every((one) => !one.inMaking))
  doors.kv.refusing.writes = true
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

async function api(path: string, method = 'GET', body?: object): Promise<Record<string, unknown>> {
  doors.now = new Date()
  const response = await doors.api(
    path,
    body === undefined ? { method } : { method, body: JSON.stringify(body) },
  )
  return (await response.json()) as Record<string, unknown>
}

const web = () => instanceOf(pair.incus.main, { name })
const snapshots = () => [...web().snapshots.values()]
const first = (): string => snapshots()[0]?.name ?? ''
const safeties = (): number => snapshots().filter((one) => one.name.startsWith('before-restore-')).length
const isRestored = (): boolean => safeties() > 0 && web().config['user.stapes.restored'] !== undefined

async function until(holds: () => boolean): Promise<void> {
  for (let wait = 0; !holds(); wait++) {
    if (wait > 500) throw new Error('it never came to that')
    await sleep(10)
  }
}

const records = (): { who: string; what: string; instances: string[] }[] =>
  log.flatMap((line) => (line.startsWith('record: ') ? [JSON.parse(line.slice(8))] : []))

const errors = (): string => JSON.stringify(vi.mocked(console.error).mock.calls)

async function restoreByApi(): Promise<Record<string, unknown>> {
  const request = { do: 'restore', instance: name, snapshot: first() }
  const { digest } = await api('/api/plan', 'POST', request)
  return api('/api/run', 'POST', { ...request, confirm: digest })
}

async function say(platform: PlatformName, line: string): Promise<string> {
  doors.now = new Date()
  const response = await doors.command(platform, line, ANN[platform])
  return `${await response.text()} ${told.splice(0).join(' ')}`
}

describe('over the API', () => {
  test('a restore is recorded in the logs of relay and Worker before it begins, and happens', async () => {
    const ran = await restoreByApi()
    await until(isRestored)
    expect(ran.problems).toEqual(
      expect.arrayContaining([expect.stringMatching(/the history lacks it; the relay's log has it/)]),
    )
    expect(records()).toMatchObject([
      { who: 'api', what: `restore ${name} ${first()}`, instances: [`main/default/${name}`] },
    ])
    expect(errors()).toContain('the record of a change')
    expect([...doors.kv.values.keys()].filter((key) => key.includes('audit')).length).toBe(
      // The configuration and the first snapshot, each with its outcome.
      4,
    )
  })

  test('where the relay can’t take the record either, nothing is done', async () => {
    const request = { do: 'restore', instance: name, snapshot: first() }
    const { digest } = await api('/api/plan', 'POST', request)
    const before = JSON.stringify([web().config, snapshots().map((one) => one.name)])
    up = false
    await api('/api/run', 'POST', { ...request, confirm: digest })
    await api('/api/tick', 'POST')
    up = true
    expect(JSON.stringify([web().config, snapshots().map((one) => one.name)])).toBe(before)
    expect(records()).toEqual([])
  })

  test('a tick goes on, and its answer and the status say what is not noted', async () => {
    await pair.main.createInstance({ project: 'default', name: `${name}-new`, running: true })
    const ran = await api('/api/run', 'POST', {})
    expect(ran).toMatchObject({
      state: 'ran',
      problems: [expect.stringContaining('the ledger could not be written')],
    })
    const { warnings } = await api('/api/status')
    expect(warnings).toEqual(
      expect.arrayContaining([expect.stringMatching(/^KV has taken no writes since .*Backups continue/)]),
    )
    doors.kv.refusing.writes = false
    const after = await restoreByApi()
    expect(after.problems).toEqual([expect.stringMatching(/^KV has taken no writes since/)])
    expect((await api('/api/status')).warnings).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^KV has taken no writes/)]),
    )
  })

  test('a configuration is not applied, and the answer says why', async () => {
    const before = doors.kv.values.get('config')
    expect(await api('/api/config', 'PUT', { ...DOCUMENT, defaults: { keep: { last: 1 } } })).toMatchObject({
      status: 503,
      detail: expect.stringContaining('the one before stays in effect'),
    })
    expect(doors.kv.values.get('config')).toBe(before)
  })

  test('what only the outcome was lost of says so, and is not answered with an error', async () => {
    doors.kv.refusing.writes = false
    const put = doors.env.STATE.put
    doors.env.STATE.put = async (...write: Parameters<typeof put>) => {
      if (String(write[0]).endsWith(':end')) throw new Error('KV PUT failed: 429 Too Many Requests')
      await put(...write)
    }
    const ran = await api('/api/run', 'POST', { do: 'hold', instance: name, snapshot: first() })
    expect(ran.problems).toEqual([expect.stringContaining('did not take the outcome')])
    expect(web().config[`user.stapes.hold.${first()}`]).toBeDefined()
    expect(records()).toEqual([])
  })
})

describe.for(PLATFORMS)('on %s', (platform) => {
  test('a hold is set, and recorded in the relay’s log', async () => {
    expect(await say(platform, `hold ${name} ${first()} before the upgrade`)).toContain('history lacks it')
    expect(web().config[`user.stapes.hold.${first()}`]).toBe('before the upgrade')
    expect(records()).toMatchObject([
      {
        who: `${platform}:${ANN[platform].team}/${ANN[platform].user}`,
        what: expect.stringContaining(`hold ${name} ${first()}`),
      },
    ])
  })

  test('a restore is proposed, confirmed once, and happens', async () => {
    const plan = await say(platform, `restore ${name} ${first()}`)
    expect(plan).toContain('KV takes no writes now')
    const token = TOKEN.exec(plan)?.[0] ?? ''
    await doors.press(platform, token, ANN[platform])
    await until(isRestored)
    expect(records()).toMatchObject([{ what: `restore ${name} ${first()}` }])
    told.length = 0
    const again = await doors.press(platform, token, ANN[platform])
    expect(`${await again.text()} ${told.join(' ')}`).toContain('already confirmed or cancelled')
    expect(safeties()).toBe(1)
  })

  test('a plan that KV had taken before is confirmed once', async () => {
    doors.kv.refusing.writes = false
    const plan = await say(platform, `restore ${name} ${first()}`)
    const token = TOKEN.exec(plan)?.[0] ?? ''
    doors.kv.refusing.writes = true
    await doors.press(platform, token, ANN[platform])
    await until(isRestored)
    expect([...doors.kv.values.keys()].filter((key) => key.startsWith('pending:'))).toEqual([])
  })

  test('a plan that can’t be marked as settled is not performed', async () => {
    doors.kv.refusing.writes = false
    const plan = await say(platform, `restore ${name} ${first()}`)
    const token = TOKEN.exec(plan)?.[0] ?? ''
    doors.kv.refusing = { writes: true, deletes: true }
    const answer = await doors.press(platform, token, ANN[platform])
    expect(`${await answer.text()} ${told.join(' ')}`).toMatch(/confirmed only once. Nothing was done/)
    expect(safeties()).toBe(0)
  })

  test('a pause is not set, and says so', async () => {
    expect(await say(platform, 'pause daily')).toContain('KV did not take it, so nothing was changed')
    expect(JSON.parse(doors.kv.values.get('config') ?? '{}').pauses ?? {}).toEqual({})
  })
})
