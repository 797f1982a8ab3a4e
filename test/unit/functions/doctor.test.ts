/** What is collected for the doctor, and what the relay is asked for it. */
import { expect, test } from 'vitest'
import { applyConfig } from '../../../functions/api/apply.ts'
import { doctor } from '../../../functions/doctor.ts'
import { createRelay } from '../../../functions/incus/relay.ts'
import { createSign } from '../../../functions/incus/sign.ts'
import type { Io } from '../../../functions/run.ts'
import { noteTested } from '../../../functions/state/notices.ts'
import type { ExamRequest } from '../../../shared/relay/exam.ts'
import { ok } from '../../../shared/result.ts'
import { factsOf } from '../doctor/examined.ts'
import { recordOf, replyOf } from '../policy/instances.ts'

const AT = new Date('2026-11-22T03:00:10Z')
const COPY = { 'user.stapes.replica-of': 'main/default/web1', 'user.stapes.verified': 'x' }

function stage(copy: object) {
  const values = new Map<string, string>()
  const asked: ExamRequest[] = []
  const main = replyOf([
    recordOf('web1', { snapshots: [['busy', 1]] }),
    recordOf('web2', { snapshots: [['s2', 1]] }),
  ])
  if (main.ok)
    main.inventory.operations = [
      { id: 'o', description: '', project: 'default', instances: ['web1'], snapshots: [] },
    ]
  const backup = replyOf([
    recordOf('web1', {
      own: COPY,
      status: 'Stopped',
      snapshots: [
        ['part', 1],
        ['s1', 2],
      ],
    }),
  ])
  if (backup.ok) backup.inventory.unseen = ['default/web1/part']
  const io: Io = {
    keyDigest: 'key',
    state: {
      get: async (key) => values.get(key) ?? null,
      put: async (key: string, value: unknown) => void values.set(key, String(value)),
    },
    relay: {
      glance: async () => ok({ remotes: {} }),
      inventory: async () => ok({ remotes: { main, backup }, jobs: [] }),
      batch: async () => ({ error: null, answers: new Map() }),
      async examine(request) {
        asked.push(request)
        return ok(factsOf())
      },
    },
  }
  const document = {
    policies: { daily: { remotes: ['main'], schedule: '0 3 * * *', copy: { remote: 'backup', ...copy } } },
    notify: { ops: { type: 'slack', url: { secret: 'NOTIFY_OPS' } } },
  }
  return { io, asked, apply: () => applyConfig(document, io, AT, false) }
}

test.each([
  ['pull', 'backup', 's1', 'main'],
  ['push', 'main', 's2', 'backup'],
] as const)(
  'with %s, %s is asked to reach the other by a snapshot that is whole, of what nothing is done to',
  async (transferMode, from, snapshot, to) => {
    const { io, asked, apply } = stage({ transferMode, project: 'copies', pool: 'big' })
    await apply()
    await doctor(io, AT)
    expect(asked).toMatchObject([
      {
        remotes: {
          main: { pools: ['default'], projects: ['default'] },
          backup: { pools: ['default', 'big'], projects: ['copies'] },
        },
        ways: [{ from: { remote: from, project: 'default' }, snapshot, to }],
      },
    ])
  },
)

test('in relay mode no way is tried', async () => {
  const { io, asked, apply } = stage({ transferMode: 'relay' })
  await apply()
  await doctor(io, AT)
  expect(asked).toMatchObject([{ ways: [] }])
})

test('a channel counts as tried once a test has got through, and not by one that has failed', async () => {
  const { io, apply } = stage({})
  await apply()
  const untried = async () => (await doctor(io, AT)).findings.filter(({ code }) => code === 'channel-untried')
  expect(await untried()).toHaveLength(1)
  await noteTested(io.state, [{ name: 'ops', type: 'slack', ok: false }], AT)
  expect(await untried()).toHaveLength(1)
  await noteTested(io.state, [{ name: 'ops', type: 'slack', ok: true }], AT)
  expect(await untried()).toEqual([])
})

const examOf = async (at: number, unsigned: number | null) => {
  const times = [1_000_000, 1_002_000]
  const relay = createRelay({
    url: 'https://relay.example',
    sign: await createSign({ keyid: 'k', secret: btoa('k'.repeat(32)) }),
    send: async (_, init) => {
      if (new Headers(init?.headers as Record<string, string>).has('signature'))
        return Response.json({ ...factsOf(), at })
      if (unsigned === null) throw new Error('it hung up')
      return new Response('{}', { status: unsigned })
    },
    now: () => new Date(times.shift() ?? 1_002_000),
  })
  return relay.examine?.({ remotes: {}, ways: [] })
}

test.each([
  [1_001_500, 0],
  [1_012_000, 10],
  [990_000, -10],
])('a relay whose clock says %i ms between 1000000 and 1002000 is %i s off', async (at, skew) => {
  expect(await examOf(at, 401)).toMatchObject({ ok: true, value: { skew } })
})

test.each([
  [401, true],
  [302, true],
  [200, false],
  [530, null],
  [null, null],
])('a call without a signature that is answered with %s: refused is %s', async (status, isShut) => {
  expect(await examOf(1_001_000, status)).toMatchObject({ ok: true, value: { isShut } })
})
