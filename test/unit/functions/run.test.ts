import { expect, test } from 'vitest'
import { applyConfig } from '../../../functions/api/apply.ts'
import { secretProblems } from '../../../functions/notify/usable.ts'
import { type Io, run } from '../../../functions/run.ts'
import { ok } from '../../../shared/result.ts'
import { recordOf, replyOf } from '../policy/instances.ts'

const AT = new Date('2026-11-22T03:00:10Z')
const document = { policies: { daily: { remotes: ['main'], schedule: '0 3 * * *' } } }

/** One instance, a relay that does what it is told, and KV as the test wants it. */
function stage(put: (key: string) => void): { io: Io; values: Map<string, string> } {
  const values = new Map<string, string>()
  const io: Io = {
    keyDigest: 'key',
    state: {
      get: async (key) => values.get(key) ?? null,
      put: async (key: string, value: unknown) => {
        put(key)
        values.set(key, String(value))
      },
    },
    relay: {
      glance: async () => ok({ remotes: {} }),
      inventory: async () => ok({ remotes: { main: replyOf([recordOf('web1')]) }, jobs: [] }),
      batch: async (jobs) => ({
        error: null,
        answers: new Map(jobs.map(({ id, steps }) => [id, steps.map(() => ({ ok: true as const }))])),
      }),
    },
  }
  return { io, values }
}

const refuse = (refused: string) => (key: string) => {
  if (key === refused) throw new Error('KV PUT failed: 429 Too Many Requests')
}

test('a ledger that can’t be written is told, and what was done is told too', async () => {
  const { io } = stage(refuse('ledger'))
  await applyConfig(document, io, AT, false)
  expect(await run({ kind: 'cron', at: AT }, io)).toMatchObject({
    state: 'ran',
    taken: 1,
    problems: [expect.stringContaining('the ledger could not be written; the next tick works it out again')],
  })
})

test('a configuration is applied even when the ledger can’t be poked, with a warning', async () => {
  let refusing = false
  const { io, values } = stage((key) => {
    if (refusing) refuse('ledger')(key)
  })
  await applyConfig(document, io, AT, false)
  await run({ kind: 'cron', at: AT }, io)
  refusing = true
  const applied = await applyConfig({ policies: { nightly: document.policies.daily } }, io, AT, false)
  expect(applied).toMatchObject({ ok: true, value: { warnings: [expect.stringContaining('POST /api/run')] } })
  expect(values.get('config')).toContain('nightly')
})

test('a configuration without policies is applied with a warning', async () => {
  const { io } = stage(() => {})
  const applied = await applyConfig({ policies: {} }, io, AT, false)
  expect(applied).toMatchObject({
    ok: true,
    value: { warnings: [expect.stringContaining('nothing is backed up')] },
  })
})

test('a channel or a ping whose secret is not set is warned of when the configuration is applied', async () => {
  const { io } = stage(() => {})
  const sound = { NOTIFY_OPS: 'https://hooks.example.org/ops' }
  const vault = (name: string): string | undefined => Object.entries(sound).find(([one]) => one === name)?.[1]
  const warned = await applyConfig(
    {
      policies: {
        daily: { ...document.policies.daily, ping: { type: 'healthchecks', url: { secret: 'PING_X' } } },
      },
      notify: {
        ops: { type: 'slack', url: { secret: 'NOTIFY_OPS' } },
        other: { type: 'slack', url: { secret: 'NOTIFY_OTHER' } },
      },
    },
    { ...io, secretProblems: (config) => secretProblems(config, vault) },
    AT,
    true,
  )
  expect(warned.ok && warned.value.warnings.filter((text) => text.includes('secret'))).toEqual([
    expect.stringMatching(
      /"other": the secret NOTIFY_OTHER is not set: npx wrangler secret put NOTIFY_OTHER/,
    ),
    expect.stringMatching(/^policy daily sends no pings: the secret PING_X is not set/),
  ])
})
