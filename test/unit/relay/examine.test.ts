/** What the relay looks at for the doctor, and how it reads the answers to what must be forbidden. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
import { FORBIDDEN, isAllowed } from '../../../relay/engine/trials.ts'
import { parseExam } from '../../../relay/requests.ts'
import { openSpaceHistory } from '../../../relay/space-history.ts'
import { RIGHTS } from '../../../shared/relay/exam.ts'
import { createFakeIncus, type FakeIncus, refusal, sync } from './fake-incus.ts'
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts'

let clock: VirtualClock
let incus: FakeIncus
let engine: ReturnType<typeof createEngine>

const PEM = '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n'
const SERVER = { auth: 'trusted', environment: { certificate: PEM } }
const WEB = {
  ...{ name: 'web1', project: 'default', profiles: ['default', 'web'] },
  expanded_devices: { eth0: { type: 'nic', network: 'lan' }, root: { type: 'disk', path: '/' } },
}

beforeEach(() => {
  clock = createVirtualClock()
  incus = createFakeIncus(clock)
  const address = 'https://10.0.0.2:8443'
  engine = createEngine({
    ...{ upstream: incus, clock, secret: 's' },
    remotes: { main: { address }, backup: { address, role: 'target' } },
  })
  incus.answer = (_, { path }) => {
    const [plain] = path.split('?')
    if (plain === '/1.0') return sync(SERVER)
    if (plain === '/1.0/storage-pools/default/resources') return sync({ space: { used: 5, total: 10 } })
    if (plain === '/1.0/instances') return sync([WEB, { ...WEB, project: 'other' }])
    if (plain === '/1.0/profiles')
      return path.includes('recursion') ? sync([{ name: 'default' }]) : refusal(403, 'no')
    if (plain === '/1.0/networks') return refusal(500, 'Certificate is restricted')
    if (plain === '/1.0/warnings') return refusal(403, 'Certificate is restricted')
    if (/\/(files|console)$/.test(plain ?? '')) return refusal(404, 'Instance not found')
    return undefined
  }
})

const look = { pools: ['default', 'gone'], projects: ['default'] }
const examined = (request: Partial<Parameters<typeof engine.examine>[0]>) =>
  clock.until(engine.examine({ remotes: {}, ways: [], ...request }))

describe('a server', () => {
  test('is asked for space, profiles, networks and what uses them; what it refuses to tell is unknown', async () => {
    const { remotes } = await examined({ remotes: { main: look } })
    expect(remotes).toEqual({
      main: {
        ok: true,
        skew: null,
        pools: { default: { used: 5, total: 10, samples: [] }, gone: null },
        projects: {
          default: {
            ...{ profiles: ['default'], networks: null },
            uses: { profiles: { default: ['web1'], web: ['web1'] }, networks: { lan: ['web1'] } },
            rights: { server: false, files: true, console: true, profiles: false },
          },
        },
      },
    })
  })

  test('that lists no networks may only not show them', async () => {
    const { answer } = incus
    incus.answer = (remote, request) =>
      request.path.startsWith('/1.0/networks') ? sync([]) : answer(remote, request)
    const { remotes } = await examined({ remotes: { main: look } })
    expect(remotes.main).toMatchObject({ ok: true, projects: { default: { networks: null } } })
  })

  test('that the relay does not know, or that gives no answer, is an error by itself', async () => {
    incus.kill()
    const { remotes } = await examined({ remotes: { main: look, other: look } })
    expect(remotes).toMatchObject({
      main: { ok: false, error: { code: 'unreachable' } },
      other: { ok: false, error: { code: 'unknown-remote' } },
    })
  })
})

test('what must be forbidden names no instance that there may be, and no body has anything in it', async () => {
  await examined({ remotes: { main: look } })
  const changing = incus.calls.filter(({ call }) => !call.startsWith('GET '))
  expect(changing.map(({ call, body }) => [call.replace(/doctor-[0-9a-f]{12}/, 'doctor-…'), body])).toEqual([
    ['POST /1.0/instances/stapes-doctor-…/console?project=default', {}],
    ['POST /1.0/profiles?project=default', {}],
  ])
  expect(RIGHTS.map((right) => FORBIDDEN[right]('x', 'a b').path)).toEqual([
    '/1.0/warnings',
    '/1.0/instances/x/files?project=a%20b&path=/',
    '/1.0/instances/x/console?project=a%20b',
    '/1.0/profiles?project=a%20b',
  ])
})

describe('the answer to it', () => {
  const replied = (status: number, error = '') =>
    ({ ok: true, status, body: { error, metadata: null } }) as const
  const silent = { ok: false, error: { code: 'timeout', message: '' } } as const

  test.each([
    ['console', replied(403), false],
    ['console', replied(404, 'Instance not found'), true],
    ['console', replied(500, 'User does not have permissions for project "default"'), false],
    ['console', replied(500, 'disk full'), null],
    ['console', silent, null],
    ['profiles', replied(400, 'No name provided'), true],
    ['profiles', replied(501), null],
    ['server', replied(200), true],
    ['server', replied(500, 'Certificate is restricted'), false],
    ['server', replied(404), null],
  ] as const)('of %s, %j, means %s', (right, reply, allowed) => {
    expect(isAllowed(right, reply)).toBe(allowed)
  })
})

describe('a way between servers', () => {
  const way = { from: { remote: 'main', project: 'default', instance: 'web1' }, snapshot: 's1', to: 'backup' }
  const tried = async (error: string) => {
    const { answer } = incus
    incus.answer = (remote, request) =>
      request.path.includes('/snapshots/s1') ? incus.operation({ after: 10, error }) : answer(remote, request)
    const { ways } = await examined({ ways: [way] })
    return ways[0]
  }

  test('is tried by sending a snapshot to an operation that there is not', async () => {
    await tried('Failed waiting for migration control connection on source: websocket: bad handshake')
    const sent = incus.calls.filter(({ call }) => call.startsWith('POST '))
    expect(sent).toMatchObject([
      {
        remote: 'main',
        call: 'POST /1.0/instances/web1/snapshots/s1?project=default',
        body: {
          ...{ name: 's1', migration: true, live: false },
          target: {
            operation: expect.stringMatching(/^https:\/\/10\.0\.0\.2:8443\/1\.0\/operations\/[0-9a-f-]{36}$/),
            certificate: PEM,
          },
        },
      },
    ])
  })

  const failing = (why: string): string => `Failed waiting for migration control connection on source: ${why}`

  test.each([
    [failing('websocket: bad handshake'), 'reached'],
    [
      failing('Unable to connect to: 10.0.0.2:8443 ([dial tcp 10.0.0.2:8443: connect: connection refused])'),
      'failed',
    ],
    [failing('tls: failed to verify certificate: x509: certificate signed by unknown authority'), 'failed'],
    ['Snapshot not found', 'unknown'],
  ])('that ends with "%s" is %s', async (error, state) => {
    expect(await tried(error)).toMatchObject({ ...way, state })
  })

  test('to a remote that the relay does not know is not tried', async () => {
    const { ways } = await examined({ ways: [{ ...way, to: 'other' }] })
    expect([ways[0]?.state, incus.calls]).toEqual(['unknown', []])
  })
})

test.each([
  [
    'more pools than there can be',
    { remotes: { main: { pools: Array(51).fill('p'), projects: [] } }, ways: [] },
  ],
  [
    'a way with an address',
    { remotes: {}, ways: [{ from: {}, snapshot: 's', to: 'x', address: 'https://evil' }] },
  ],
  ['anything beside', { remotes: {}, ways: [], more: true }],
])('%s is refused', (_, body) => {
  expect(parseExam(Buffer.from(JSON.stringify(body))).ok).toBe(false)
})

describe('how full something was', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stapes-space-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const HOUR = 3_600_000
  const open = (log: string[] = []) => openSpaceHistory(join(folder, 'space.json'), (line) => log.push(line))

  test('is noted every six hours, for a month, and known after a restart', async () => {
    const history = open()
    for (let hour = 0; hour < 31 * 24; hour++) history.note('pool main/default', hour, hour * HOUR)
    expect(history.of('pool main/default')).toHaveLength(120)
    expect(history.of('pool main/default').slice(-2)).toEqual([
      [732 * 3600, 732],
      [738 * 3600, 738],
    ])
    expect(open().of('pool main/default')).toEqual(history.of('pool main/default'))
    expect((await readFile(join(folder, 'space.json'), 'utf8')).length).toBeLessThan(4000)
  })

  test('by a clock that was ahead counts for nothing once it is right', () => {
    const history = open()
    history.note('pool x', 9, 900 * HOUR)
    history.note('pool x', 1, HOUR)
    expect(history.of('pool x')).toEqual([[3600, 1]])
  })

  test('begins anew where its file is damaged, and says so', async () => {
    await writeFile(join(folder, 'space.json'), '{"pool x": [[1, 2], ["a", 3], 4]')
    const log: string[] = []
    expect(open(log).of('pool x')).toEqual([])
    expect(log).toEqual([expect.stringContaining('noted anew')])
    await writeFile(join(folder, 'space.json'), '{"pool x": [[1, 2], ["a", 3], 4]}')
    expect(open().of('pool x')).toEqual([[1, 2]])
  })
})
