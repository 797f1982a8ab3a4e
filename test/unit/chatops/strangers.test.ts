/** Whoever may do nothing, or only read, costs KV no write, however often they ask. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PlatformName } from '../../../shared/chat/actor.ts'
import { type Doors, type Knocker, openDoors } from '../../chat/doors.ts'

const PLATFORMS: readonly PlatformName[] = ['slack', 'discord', 'mattermost']

/** Our own team and channel, and who has a grant there. */
const HOME: Record<PlatformName, Knocker> = {
  slack: { team: 'T024BE7LD', channel: 'C8PSS9T3V', user: 'U024BE7LH' },
  discord: { team: '197038439483310086', channel: '4200000000000000001', user: '80351110224678912' },
  mattermost: { team: 't'.repeat(26), channel: 'c'.repeat(26), user: 'u'.repeat(26) },
}
const grantOf = (platform: PlatformName, role: string) => ({
  who: [`${platform}:${HOME[platform].team}/${HOME[platform].user}`],
  role,
})
const documentFor = (role: string) => ({
  policies: { daily: { remotes: ['main'], schedule: '0 3 * * *' } },
  access: { grants: PLATFORMS.map((platform) => grantOf(platform, role)) },
})

const LINES = [
  ...['status', 'list', 'plan', 'missed', 'policies', 'history', 'whoami', 'help', 'now web1', "now '*'"],
  ...[
    'copy',
    'hold web1 x',
    'release web1 x',
    'pause daily',
    'resume daily',
    'restore web1 x',
    'expire web1',
  ],
]
const READS = ['status', 'list', 'plan', 'plan now web1', 'missed', 'policies', 'history', 'whoami', 'help']

let doors: Doors
beforeEach(async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  vi.spyOn(console, 'log').mockImplementation(() => {})
  vi.stubGlobal('fetch', async () => Response.json({ ok: true }))
  doors = openDoors(new Date('2026-11-22T10:00:00Z'), async () => new Response('', { status: 503 }))
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

async function apply(role: string): Promise<void> {
  const body = JSON.stringify(documentFor(role))
  const applied = await doors.api('/api/config', { method: 'PUT', body })
  if (!applied.ok) throw new Error(await applied.text())
  doors.kv.reset()
}

const pauses = (): object => JSON.parse(doors.kv.values.get('config') ?? '{}').pauses ?? {}

const pass = (ms: number): void => {
  doors.now = new Date(doors.now.getTime() + ms)
}

/** An id like this one, of somebody else: one of a hundred. */
const other = (id: string, number: number): string =>
  `${id.slice(0, -2)}${String(number % 100).padStart(2, '0')}`

/** At home, where nobody granted them anything, or at a place that no grant names. */
function strangerOn(platform: PlatformName, number: number): Knocker {
  const { team, channel, user } = HOME[platform]
  return {
    team: number % 2 === 0 ? team : other(team, number),
    channel,
    user: other(user, number % 100 === 12 ? 1 : number),
  }
}

describe.for(PLATFORMS)('on %s', (platform) => {
  test('10,000 requests of strangers write nothing, and read hardly anything', {
    timeout: 60_000,
  }, async () => {
    await apply('admin')
    const button = await doors.button(platform, HOME[platform])
    for (let sent = 0; sent < 10_000; sent++) {
      pass(10)
      const by = strangerOn(platform, sent)
      const kind = sent % 20
      const answer =
        kind === 18
          ? await doors.press(platform, sent % 3 === 0 ? 'c.forged' : button, by)
          : kind === 19 && platform === 'discord'
            ? await doors.complete(by)
            : await doors.command(platform, LINES[kind % LINES.length] ?? '', by)
      if (answer.status !== 200) expect.fail(`${answer.status} ${await answer.text()}`)
    }
    // 100 s: the configuration is read anew each half minute.
    expect(doors.kv.counts).toEqual({ reads: expect.any(Number), writes: 0, deletes: 0, lists: 0 })
    expect(doors.kv.counts.reads).toBeLessThanOrEqual(4)
  })

  test('a reader with a grant writes nothing either, whatever he asks for', async () => {
    await apply('viewer')
    for (let sent = 0; sent < 500; sent++) {
      pass(10)
      const lines = sent % 2 === 0 ? READS : LINES
      const answer = await doors.command(platform, lines[sent % lines.length] ?? '', HOME[platform])
      expect(answer.status).toBe(200)
    }
    expect([doors.kv.counts.writes, doors.kv.counts.deletes]).toEqual([0, 0])
  })

  test('a command that only reads costs no more reads than docs/performance.md says', async () => {
    await apply('viewer')
    const readsOf = async (line: string): Promise<number> => {
      doors.kv.reset()
      await doors.command(platform, line, HOME[platform])
      return doors.kv.counts.reads
    }
    const counted = [
      ['help', 1],
      ['whoami', 1],
      ['status', 4],
      ['missed', 4],
      ['history', 2],
    ] as const
    for (const [line, reads] of counted) expect([line, await readsOf(line)]).toEqual([line, reads])
  })

  test('a press by somebody whose role is too low writes nothing', async () => {
    await apply('viewer')
    const button = await doors.button(platform, HOME[platform])
    for (let sent = 0; sent < 50; sent++) await doors.press(platform, button, HOME[platform])
    expect([doors.kv.counts.writes, doors.kv.counts.deletes]).toEqual([0, 0])
  })

  test('an operator’s change is remembered, which is what the counts are worth', async () => {
    await apply('operator')
    await doors.command(platform, 'pause daily', HOME[platform])
    expect([...doors.kv.values.keys()].some((key) => key.startsWith('request:'))).toBe(true)
    expect(pauses()).toMatchObject({ daily: { until: null } })
  })

  test('an operator of some instances can’t pause, and trying costs nothing', async () => {
    const document = documentFor('operator')
    const grants = document.access.grants.map((grant) => ({ ...grant, instances: ['web*'] }))
    const body = JSON.stringify({ ...document, access: { grants } })
    await doors.api('/api/config', { method: 'PUT', body })
    doors.kv.reset()
    await doors.command(platform, 'pause daily', HOME[platform])
    expect(doors.kv.counts.writes).toBe(0)
    expect(pauses()).toEqual({})
  })

  test('a grant that was taken back ends at once, and a new one begins at once here', async () => {
    await apply('operator')
    await doors.command(platform, 'pause daily', HOME[platform])
    await apply('viewer')
    await doors.command(platform, 'resume daily', HOME[platform])
    expect(doors.kv.counts.writes).toBe(0)
    await apply('operator')
    await doors.command(platform, 'resume daily', HOME[platform])
    // A pause that is over stays, with its end.
    expect(pauses()).toMatchObject({ daily: { until: doors.now.toISOString() } })
  })

  test('a grant that was taken back elsewhere ends at once, however recently its owner was looked up', async () => {
    await apply('operator')
    await doors.command(platform, 'status', HOME[platform])
    const before = doors.kv.values.get('config') ?? ''
    const elsewhere = JSON.parse(before)
    elsewhere.document.access.grants = []
    doors.kv.values.set('config', JSON.stringify(elsewhere))
    pass(10)
    await doors.command(platform, 'pause daily', HOME[platform])
    expect(pauses()).toEqual({})
  })
})
