/** One server lies, and another in the same call is seen, backed up and recorded as if it were alone. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { applyConfig } from '../../../functions/api/apply.ts'
import type { JobAnswer, Relay } from '../../../functions/incus/relay.ts'
import { type Io, run } from '../../../functions/run.ts'
import { createEngine, type Engine } from '../../../relay/engine/engine.ts'
import { createSystemClock } from '../../../relay/system-clock.ts'
import { createUpstreams, type Upstreams } from '../../../relay/upstreams.ts'
import { serializeReply, unpackReply } from '../../../shared/relay/packing.ts'
import type { InventoryReply, RemoteReply } from '../../../shared/relay/protocol.ts'
import { ok } from '../../../shared/result.ts'
import { createCertificate } from '../../lab/certificate.ts'
import type { Known } from './lies/told.ts'
import { LIES } from './lies.ts'
import { type LyingServer, startLyingServer } from './lying-server.ts'

const MB = 1024 * 1024
/** Milliseconds for a look: the silent ones use up all of it, and the others need what a busy machine gives them. */
const [LOOK, LONG_LOOK] = [2_500, 40_000]

const { cert: certificate, key } = await createCertificate('relay')
const clock = createSystemClock()
let honest: LyingServer
let liar: LyingServer
let upstreams: Upstreams
let engine: Engine
let open: (look: number) => void
let alone: RemoteReply | undefined

beforeAll(async () => {
  honest = await startLyingServer()
  liar = await startLyingServer()
})

afterAll(async () => {
  clock.stop()
  await Promise.all([honest.close(), liar.close()])
})

beforeEach(async () => {
  await upstreams?.close()
  liar.lie = {}
  const remotes = Object.fromEntries(
    Object.entries({ honest, liar }).map(([name, { url, fingerprint }]) => [
      name,
      { url, fingerprint, address: url },
    ]),
  )
  upstreams = createUpstreams(remotes, { certificate, key })
  open = (milliseconds) => {
    const patience = { look: milliseconds, glance: milliseconds }
    engine = createEngine({ upstream: upstreams, clock, remotes, ...patience, secret: 's' })
  }
  open(LONG_LOOK)
  alone ??= (await look(['honest'])).remotes.honest
  honest.seen = []
})

/** As it arrives at the Worker. */
async function look(remotes: string[]): Promise<InventoryReply> {
  return unpackReply(JSON.parse(serializeReply(await engine.inventory({ remotes }))))
}

const relay: Relay = {
  glance: async (request) => ok(await engine.glance(request)),
  inventory: async ({ remotes }) => ok(await look([...remotes])),
  async batch(jobs) {
    const answers = new Map<string, JobAnswer>()
    await engine.batch({ jobs: [...jobs] }, (line) => {
      if ('steps' in line) answers.set(line.job, line.steps)
    })
    return { answers, error: null }
  },
}

function stateOf(): { io: Io; read(key: string): string } {
  const values = new Map<string, string>()
  const state = {
    get: async (name: string) => values.get(name) ?? null,
    put: async (name: string, value: unknown) => void values.set(name, String(value)),
  }
  return { io: { relay, state, keyDigest: 'key' }, read: (name) => values.get(name) ?? '' }
}

const knownOf = (reply: RemoteReply | undefined): Known => {
  if (reply?.ok !== true) return 'nothing'
  const { instances, unusable = [] } = reply.inventory
  if (unusable.length > 0) return 'others'
  return instances.some(({ snapshots }) => snapshots === null) ? 'less' : 'all'
}

const reasonOf = (reply: RemoteReply | undefined): string => {
  if (reply?.ok !== true) return reply?.error.message ?? ''
  const { instances, unusable = [] } = reply.inventory
  return [...unusable, ...instances.flatMap(({ problem }) => problem ?? [])].join('\n')
}

const DOCUMENT = {
  policies: { daily: { remotes: ['honest', 'liar'], schedule: '@hourly', keep: { last: 3 }, catchup: '1h' } },
}

describe.each(Object.entries(LIES))('a server that lists %s', (_, { lie, known, why = /(?:)/ }) => {
  const isSilent = why.source === 'too slowly'
  beforeEach(() => {
    if (isSilent) open(LOOK)
  })

  test('is known for what it is, and the other is seen as if it were alone', async () => {
    liar.lie = lie
    const before = process.memoryUsage().rss
    const { remotes } = await look(['honest', 'liar'])
    expect(remotes.honest).toEqual(alone)
    expect(knownOf(remotes.liar)).toBe(known)
    const reason = reasonOf(remotes.liar)
    expect(reason).toMatch(known === 'all' ? /^$/ : /./)
    expect(reason).toMatch(why)
    for (const line of reason.split('\n')) {
      expect(line.length).toBeLessThan(1500)
      expect(line).not.toMatch(/[\p{Cc}\p{Cs}\u202e]/u)
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(1500 * MB)
  })

  test('keeps no tick from the other, nor its record', async () => {
    liar.lie = {}
    const { io, read } = stateOf()
    const at = new Date('2026-11-26T10:00:30Z')
    expect(await applyConfig(DOCUMENT, io, at, false)).toMatchObject({ ok: true })
    liar.lie = lie
    const ran = await run({ kind: 'cron', at }, io)
    expect(ran).toMatchObject({ state: 'ran' })
    const taken = honest.seen.filter(({ call }) => call.startsWith('POST /1.0/instances/web/snapshots'))
    expect(taken).toHaveLength(1)
    const { runs, policies } = JSON.parse(read('ledger'))
    expect(runs[0].counts.taken).toBeGreaterThanOrEqual(1)
    expect(Object.keys(policies.daily.open?.attempts ?? {})).not.toContain('honest/default/web')
    expect(read('ledger').length).toBeLessThan(200_000)
    expect(read('ledger')).not.toMatch(/[\u007f-\u009f\u202e]|\\u00[01]|\\ud8/)
  })
})

test('there are lies of all sorts', () => {
  expect(Object.keys(LIES).length).toBeGreaterThan(30)
})
