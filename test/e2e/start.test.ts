/** `npm start` against servers that it takes for real, in a folder whose name has a space in it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startRelay } from '../../relay/relay.ts'
import { seedInstance } from '../emulator/scene.ts'
import { type Embedded, startEmbedded } from '../emulator/start.ts'
import { freePort } from '../lab/free-port.ts'

const SCRIPT = join(import.meta.dirname, '../../scripts/start.ts')
const DOCUMENT =
  '{ "policies": { "hourly": { "remotes": ["main"], "schedule": "0 0 1 1 *", "catchup": "366d" } } }'
const TOKEN = 'start'

let embedded: Embedded
let folder: string
let port: number
const started: Start[] = []

type Start = { child: ChildProcess; text(): string; code(): Promise<number | null> }

beforeAll(async () => {
  embedded = await startEmbedded()
})
afterAll(() => embedded.close())
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stapes ü '))
  port = await freePort()
  const { client, main, backup } = embedded
  writeFileSync(join(folder, 'client.crt'), client.cert)
  writeFileSync(join(folder, 'client.key'), client.key)
  writeFileSync(join(folder, 'stapes.jsonc'), DOCUMENT)
  const remote = ({ url, fingerprint }: typeof main) => ({ url, fingerprint })
  const relay = {
    client: { certificate: 'client.crt', key: 'client.key' },
    remotes: { main: remote(main), backup: remote(backup) },
  }
  for (const name of ['relay.jsonc', 'other.jsonc']) writeFileSync(join(folder, name), JSON.stringify(relay))
})
afterEach(async () => {
  for (const one of started.splice(0)) {
    one.child.kill('SIGTERM')
    await one.code()
  }
  rmSync(folder, { recursive: true, force: true })
})

function npmStart(args: string[], env: Record<string, string> = {}): Start {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    cwd: folder,
    env: { PATH, HOME, PORT: String(port), STAPES_TOKEN: TOKEN, RELAY_CONFIG: 'relay.jsonc', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      text += chunk
    })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const one = { child, text: () => text, code: () => ended }
  started.push(one)
  return one
}

async function until(start: Start, pattern: RegExp): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100)) {
    if (pattern.test(start.text())) return
    if (start.child.exitCode !== null) break
  }
  throw new Error(`not seen: ${pattern} in\n${start.text()}`)
}

/** Those of a process and of its children. */
function workersOf(pid: number): number[] {
  const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')
  const children = read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((one) => one !== '')
  return children.flatMap((one) => [
    ...(read(`/proc/${one}/cmdline`).includes('workerd\0serve') ? [Number(one)] : []),
    ...workersOf(Number(one)),
  ])
}

function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')
  return [pid, ...children.filter((one) => one !== '').flatMap((one) => familyOf(Number(one)))]
}

/** Where processes listen for TCP. */
function listening(pids: number[]): { host: string; port: number }[] {
  const inodes = new Set(pids.flatMap(socketsOf))
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode = '']) => state === '0A' && inodes.has(inode))
      .map(([, address = '']) => {
        const [host = '', hex = ''] = address.split(':')
        return { host: host === '0100007F' ? '127.0.0.1' : host, port: Number.parseInt(hex, 16) }
      }),
  )
}

function socketsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
    } catch {
      return [] // closed meanwhile
    }
  })
}

/** What listens on a port, by what it answers to a stranger. */
async function doorOf(at: number): Promise<string> {
  const health = await fetch(`http://127.0.0.1:${at}/v1/health`)
  const said = await health.text()
  if (said === '{"ok":true}') return 'the relay'
  return health.status === 403 && said === 'Forbidden' ? 'workerd, with a secret' : `${health.status} ${said}`
}

/** Addresses of the inspector, the explorer of KV, and what fires the cron trigger at any time. */
const ATTACKS = [
  '/json',
  '/json/list',
  '/json/version',
  '/cdn-cgi/explorer',
  '/cdn-cgi/explorer/api/storage/kv/namespaces',
  '/cdn-cgi/local/explorer',
  '/cdn-cgi/local/explorer/api',
  '/cdn-cgi/local/explorer/api/storage/kv/namespaces',
  '/cdn-cgi/local/platform-proxy',
  '/cdn-cgi/local/scheduled?time=4102444800000',
  '/cdn-cgi/handler/scheduled?time=4102444800000',
  '/cdn-cgi/mf/scheduled?time=4102444800000',
  '/core/store-temp-file',
]

const status = (): Promise<{ configured: boolean; wakeAt: string | null }> =>
  fetch(`http://127.0.0.1:${port}/api/status`, { headers: { authorization: `Bearer ${TOKEN}` } }).then(
    (response) => response.json() as Promise<{ configured: boolean; wakeAt: string | null }>,
  )

/** It takes a first snapshot of each instance, named after its minute: who asks for one in that minute gets none. */
async function firstTick(start: Start): Promise<void> {
  await until(start, /stapes runs on/)
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(100))
    if ((await status()).wakeAt !== null) return
  throw new Error(`the first tick did not end in\n${start.text()}`)
}

describe('npm start against real servers', { timeout: 180_000 }, () => {
  test('shows the plan and does nothing, until somebody agrees; then it starts without asking again', async () => {
    const look = npmStart(['--dry-run'])
    expect(await look.code()).toBe(0)
    expect(look.text()).toMatch(/main\/default\/web1\n {2}(\+ hourly-|… hourly takes its snapshot)/)
    const unsure = npmStart([])
    expect(await unsure.code()).toBe(1)
    expect(unsure.text()).toMatch(/hourly.*nothing was done\.\n.*npm start -- --yes/s)
    const sure = npmStart(['--yes'])
    await until(sure, /stapes runs on/)
    sure.child.kill('SIGTERM')
    expect(await sure.code()).toBe(0)
    await until(npmStart([]), /stapes runs on/)
  })

  test('shows what was requested through the API as well', async () => {
    const start = npmStart(['--yes'])
    await firstTick(start)
    // The schedule's next look is far off.
    seedInstance(embedded.main.incus, { name: 'asked1' })
    const body = JSON.stringify({ policies: ['hourly'], instances: ['asked1'] })
    const headers = { authorization: `Bearer ${TOKEN}` }
    const answer = await fetch(`http://127.0.0.1:${port}/api/run`, { method: 'POST', headers, body })
    expect(await answer.json()).toMatchObject({ state: 'ran', taken: 1 })
    await until(start, /Z {2}1 snapshot taken\n {2}main\/default\/asked1\n {4}\+ manual-/)
  })

  test('starts a Worker again whose process was killed', async () => {
    const start = npmStart(['--yes'])
    await until(start, /stapes runs on/)
    const [listening] = workersOf(start.child.pid ?? 0)
    process.kill(listening ?? 0, 'SIGKILL')
    await until(start, /has to be started again: .*\n(.*\n)*the Worker is running again/)
    expect(await status()).toMatchObject({ configured: true })
  })

  test('leaves nothing open to other users but doors that ask for a key or a token', async () => {
    const start = npmStart(['--yes'])
    await until(start, /stapes runs on/)
    const ports = listening(familyOf(start.child.pid ?? 0))
    const doors: string[] = []
    for (const { host, port: at } of ports) {
      expect(host).toBe('127.0.0.1')
      doors.push(at === port ? 'the Worker' : await doorOf(at))
      for (const attack of ATTACKS) {
        const answer = await fetch(`http://127.0.0.1:${at}${attack}`)
        expect(answer.status, `${at}${attack}`).toBeOneOf([400, 401, 403, 404])
        await answer.body?.cancel()
      }
    }
    expect(doors.toSorted()).toEqual(['the Worker', 'the relay', 'workerd, with a secret'])
  })

  test('lets no second one work with the same servers, and keeps two configurations apart', async () => {
    const first = npmStart(['--yes'])
    await until(first, /stapes runs on/)
    const second = npmStart(['--yes'], { PORT: String(await freePort()) })
    expect(await second.code()).toBe(1)
    expect(second.text()).toMatch(/another npm start works with the same servers already \(process \d+/)
    const other = npmStart([], { PORT: String(await freePort()), RELAY_CONFIG: 'other.jsonc' })
    expect(await other.code()).toBe(1)
    expect(other.text()).toContain('was not applied from here before')
    expect(readdirSync(join(folder, '.stapes')).map((name) => name.slice(0, -9))).toEqual([
      'other.jsonc',
      'relay.jsonc',
    ])
  })

  test('takes over what an earlier version noted', async () => {
    mkdirSync(join(folder, '.stapes/state/v3'), { recursive: true })
    const look = npmStart(['--dry-run'])
    expect(await look.code()).toBe(0)
    expect(look.text()).toContain('the state of an earlier version is in ')
    const [home = ''] = readdirSync(join(folder, '.stapes'))
    expect(readdirSync(join(folder, '.stapes', home, 'state'))).toContain('v3')
  })

  test('ends where the relay does not take its key', async () => {
    const { client } = embedded
    const relay = await startRelay({
      listen: { host: '127.0.0.1', port: 0 },
      keys: { worker: Buffer.alloc(32, 1) },
      client: { certificate: client.cert, key: client.key },
      remotes: {},
      log: () => {},
    })
    const key = { RELAY_KEY_ID: 'worker', RELAY_KEY: Buffer.alloc(32, 2).toString('base64') }
    const start = npmStart(['--yes'], { RELAY_URL: relay.url, ...key })
    expect(await start.code()).toBe(1)
    expect(start.text()).toMatch(/can't start: the relay refused the signature .*check RELAY_KEY/)
    await relay.close()
  })

  test('tells of a server that gives no answer', async () => {
    const url = JSON.stringify({
      gone: { url: 'https://127.0.0.1:9', fingerprint: '0'.repeat(64) },
    })
    writeFileSync(join(folder, 'stapes.jsonc'), DOCUMENT.replace('main', 'gone'))
    const silent = npmStart(['--yes'], { RELAY_REMOTES: url })
    await until(silent, /warning .*"gone" can't be reached.*core\.https_address/)
    expect(silent.text()).toContain('stapes runs on')
  })
})
