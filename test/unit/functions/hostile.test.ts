/** A server's part of a run that is broken, endless or too long leaves the others' part and the record whole. */
import { expect, test, vi } from 'vitest'
import { applyConfig } from '../../../functions/api/apply.ts'
import { fitJobs } from '../../../functions/incus/fit-jobs.ts'
import { createRelay, type JobAnswer, type Relay } from '../../../functions/incus/relay.ts'
import { oneByOne } from '../../../functions/one-by-one.ts'
import { type Io, run } from '../../../functions/run.ts'
import type { RemoteReply } from '../../../shared/relay/protocol.ts'
import { type Job, LONGEST_NAME } from '../../../shared/relay/protocol.ts'
import { ok } from '../../../shared/result.ts'
import { recordOf, replyOf } from '../policy/instances.ts'

const AT = new Date('2026-11-22T03:00:20Z')
const DOCUMENT = { policies: { daily: { remotes: ['main', 'bad'], schedule: '0 3 * * *' } } }

type Batch = Relay['batch']

function stage(bad: RemoteReply, batch: Batch) {
  const values = new Map<string, string>()
  const writes: string[] = []
  const remotes = { main: replyOf([recordOf('web1')]), bad }
  const io: Io = {
    keyDigest: 'key',
    relay: {
      glance: async () => ok({ remotes: {} }),
      inventory: async () => ok({ remotes, jobs: [] }),
      batch,
    },
    state: {
      get: async (key) => values.get(key) ?? null,
      async put(key, value) {
        values.set(key, String(value))
        if (key === 'ledger') writes.push(String(value))
      },
    },
  }
  return { io, writes, ledger: () => JSON.parse(values.get('ledger') ?? '{}') }
}

test('what is known is written while an operation doesn’t end, and the rest as unknown', async () => {
  const answers = new Map<string, JobAnswer>()
  const { io, writes, ledger } = stage(replyOf([recordOf('web2')]), async (jobs, _record, options) => {
    const [good] = jobs.filter(({ id }) => id.includes('main/'))
    answers.set(good?.id ?? '', [{ ok: true }])
    options?.onLate?.(answers)
    await vi.waitFor(() => expect(writes).toHaveLength(1))
    throw new Error('the platform ends the invocation here')
  })
  await applyConfig(DOCUMENT, io, AT, false)
  writes.length = 0
  await expect(run({ kind: 'cron', at: AT }, io)).rejects.toThrow()
  const { runs, policies } = ledger()
  expect(runs[0]).toMatchObject({ counts: { taken: 1 } })
  expect(runs[0].problems).toEqual([expect.stringMatching(/^bad\/default\/web2 snapshot: it had not ended/)])
  expect(policies.daily.open.made).toEqual({ 'main/default/web1': 'daily-20261122T0300Z' })
  expect(policies.daily.open.attempts).toMatchObject({ 'bad/default/web2': { count: 1, unseen: true } })
})

test('the last write is made after the early one, with the outcomes', async () => {
  const { io, writes, ledger } = stage(replyOf([recordOf('web2')]), async (jobs, _record, options) => {
    options?.onLate?.(new Map())
    return { answers: new Map(jobs.map(({ id }) => [id, [{ ok: true as const }]])), error: null }
  })
  await applyConfig(DOCUMENT, io, AT, false)
  writes.length = 0
  await run({ kind: 'cron', at: AT }, io)
  expect(writes).toHaveLength(2)
  expect(ledger().runs).toMatchObject([{ counts: { taken: 2 }, problems: [] }])
})

test('an instance that no plan can be made with leaves the others’ slot served', async () => {
  const poison = recordOf('web2', { snapshots: [null as unknown as [string, number]] })
  const { io, ledger } = stage(replyOf([poison]), async (jobs) => ({
    answers: new Map(jobs.map(({ id }) => [id, [{ ok: true as const }]])),
    error: null,
  }))
  await applyConfig(DOCUMENT, io, AT, false)
  const ran = await run({ kind: 'cron', at: AT }, io)
  expect(ran).toMatchObject({ taken: 1, problems: [expect.stringContaining('nothing is planned for it')] })
  expect(ledger().runs).toMatchObject([{ counts: { taken: 1 } }])
})

const action = (subject: string) => ({ kind: 'snapshot', reason: '', subject })

test('what can’t be made into a job is refused alone, with all that belongs to it', () => {
  const actions = ['a', 'b', 'a', 'c'].map(action)
  const made = oneByOne(
    actions,
    ({ subject }) => subject,
    (some) => {
      if (some.some(({ subject }) => subject === 'a')) throw new Error('\u001b[31ma bug')
      return {
        jobs: some.map((one) => ({ job: { id: one.subject, steps: [] }, parts: [one] })),
        outcomes: [],
      }
    },
  )
  expect(made.flatMap(({ jobs }) => jobs.map(({ job }) => job.id))).toEqual(['b', 'c'])
  const refused = made.flatMap(({ outcomes }) => outcomes)
  expect(refused.map((one) => one.action)).toEqual([actions[0], actions[2]])
  expect(refused[0]).toMatchObject({ error: { message: expect.stringMatching(/ \[31ma bug/) } })
})

const job = (id: string, more: Partial<Job> = {}): Job => ({
  id,
  steps: [{ do: 'start', ref: { remote: 'main', project: 'default', instance: 'web' } }],
  ...more,
})
const idsIn = (body: string): string[] => JSON.parse(body).jobs.map(({ id }: Job) => id)

test('jobs are sent in as many calls as the relay needs, and those that wait for another go with it', () => {
  const jobs = [job('a'), job('b'), job('c', { after: 'a' }), job('d')]
  const { bodies } = fitJobs(jobs, { record: 'log' }, { jobs: 2, size: 10_000 })
  expect(bodies.map(idsIn)).toEqual([['a', 'b', 'c'], ['d']])
  expect(bodies.map((body) => JSON.parse(body).record)).toEqual(['log', 'log'])
  expect(fitJobs(jobs).bodies.map(idsIn)).toEqual([['a', 'b', 'c', 'd']])
})

test('a job that the relay would not take keeps no other from being sent', async () => {
  const sent: string[] = []
  const relay = createRelay({
    url: 'https://relay',
    sign: async () => ({ 'content-digest': '', 'signature-input': '', signature: '' }),
    now: () => AT,
    send: async (_, init) => {
      sent.push(String(init?.body))
      return new Response('{"job":"b","steps":[{"ok":true}]}\n{"done":1}\n')
    },
  })
  const long = 'x'.repeat(LONGEST_NAME + 1)
  const { answers, error } = await relay.batch([job(long), job('b')])
  expect(error).toBeNull()
  expect(sent.flatMap(idsIn)).toEqual(['b'])
  expect(answers.get('b')).toEqual([{ ok: true }])
  expect(answers.get(long)).toMatchObject([{ ok: false, error: { code: 'bad-request' } }])
})

test('calls take no longer than what is left of the invocation', async () => {
  const limits: number[] = []
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    limits.push(ms)
    return new AbortController().signal
  })
  let now = AT
  const relay = createRelay({
    url: 'https://relay',
    sign: async () => ({ 'content-digest': '', 'signature-input': '', signature: '' }),
    now: () => now,
    deadline: new Date(AT.getTime() + 14 * 60_000),
    send: async () => new Response('{"done":0}\n'),
  })
  await relay.batch([job('a')], undefined, { limit: 120_000 })
  await relay.batch([job('a')])
  now = new Date(AT.getTime() + 10 * 60_000)
  await relay.batch([job('a')])
  timeout.mockRestore()
  expect(limits).toEqual([120_000, 13 * 60_000, 4 * 60_000])
})

test('the relay is told how long a caller with little time waits for each remote, and no other', async () => {
  const bodies: string[] = []
  const options = {
    url: 'https://relay',
    sign: async () => ({ 'content-digest': '', 'signature-input': '', signature: '' }),
    now: () => AT,
    send: async (_: unknown, init?: RequestInit) => {
      bodies.push(String(init?.body))
      return new Response('{"jobs":[],"remotes":{}}')
    },
  }
  await createRelay({ ...options, deadline: new Date(AT.getTime() + 20_000) }).inventory({
    remotes: ['main'],
  })
  await createRelay(options).inventory({ remotes: ['main'] })
  expect(bodies.map((body) => JSON.parse(body))).toEqual([
    { remotes: ['main'], within: 12_000 },
    { remotes: ['main'] },
  ])
})
