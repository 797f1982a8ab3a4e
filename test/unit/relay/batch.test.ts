import { expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
import type { BatchLine, CallError, Job, StepReport } from '../../../shared/relay/protocol.ts'
import type { Step } from '../../../shared/relay/steps.ts'
import { createFakeIncus, type FakeIncus, refusal } from './fake-incus.ts'
import { take } from './steps.ts'
import { createVirtualClock } from './virtual-clock.ts'

const REMOTES = {
  main: { address: 'https://main.example:8443' },
  backup: { address: 'https://backup.example:8443' },
}

function setUp() {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const engine = createEngine({ upstream: incus, clock, remotes: REMOTES, secret: 's' })
  const run = async (...jobs: Job[]): Promise<BatchLine[]> => {
    const lines: BatchLine[] = []
    await clock.until(engine.batch({ jobs }, (line) => lines.push(line)))
    return lines
  }
  return { clock, incus, engine, run }
}

const job = (id: string, ...steps: Step[]): Job => ({ id, steps })

const stepsOf = (lines: BatchLine[], id: string): StepReport[] => {
  const line = lines.find((line) => 'job' in line && line.job === id)
  if (line === undefined || !('steps' in line)) throw new Error(`no steps of ${id}`)
  return line.steps
}

const errorOf = (lines: BatchLine[], id: string): CallError => {
  const last = stepsOf(lines, id).at(-1)
  if (last?.ok !== false) throw new Error(`${id} didn't fail`)
  return last.error
}

test('every job gets a line as it ends, and the last line counts them', async () => {
  const { incus, run } = setUp()
  incus.answer = (_, { path }) => incus.operation({ after: path.includes('slow') ? 9000 : 1000 })
  const lines = await run(job('a', take('slow')), job('b', take('quick')))
  expect(lines).toEqual([
    { job: 'b', steps: [{ ok: true }] },
    { job: 'a', steps: [{ ok: true }] },
    { done: 2 },
  ])
})

test('one failing instance changes nothing for the others', async () => {
  const { incus, run } = setUp()
  incus.answer = (_, { path }) =>
    path.includes('full') ? refusal(500, 'No space left on device') : undefined
  const lines = await run(job('a', take('full')), job('b', take('web')))
  expect(errorOf(lines, 'a')).toEqual({ code: 'incus', status: 500, message: 'No space left on device' })
  expect(stepsOf(lines, 'b')).toEqual([{ ok: true }])
})

const endings: {
  name: string
  make: (incus: FakeIncus) => void
  error: Partial<CallError>
}[] = [
  {
    name: 'a failed operation, which /wait tells like a timeout',
    make: (incus) => {
      incus.answer = () => incus.operation({ after: 2000, error: 'UNIQUE constraint failed' })
    },
    error: { code: 'incus', message: 'UNIQUE constraint failed' },
  },
  {
    name: 'an operation that outlasts the wait',
    make: (incus) => {
      incus.answer = () => incus.operation({ after: 6_000_000 })
    },
    error: { code: 'running' },
  },
  {
    name: 'an operation that is gone',
    make: (incus) => {
      incus.answer = () => {
        const answer = incus.operation({ after: 600_000 })
        incus.kill()
        incus.start()
        return answer
      }
    },
    error: { code: 'vanished' },
  },
  {
    name: 'a server that falls silent for good',
    make: (incus) => {
      incus.answer = () => {
        const answer = incus.operation({ after: 600_000 })
        incus.kill()
        return answer
      }
    },
    error: { code: 'timeout' },
  },
  {
    name: 'a stranger certificate',
    make: (incus) => {
      incus.answer = () => refusal(403, 'not authorized')
    },
    error: { code: 'untrusted' },
  },
  {
    name: 'a restricted certificate',
    make: (incus) => {
      incus.answer = () => refusal(403, 'User does not have permission for project "default"')
    },
    error: { code: 'incus', status: 403 },
  },
  {
    name: 'something that is no Incus',
    make: (incus) => {
      incus.answer = () => ({ status: 200, body: { hello: 'world' } })
    },
    error: { code: 'bad-reply' },
  },
]

test.each(endings)('$name is told as $error.code', async ({ make, error }) => {
  const { incus, run } = setUp()
  make(incus)
  expect(errorOf(await run(job('a', take('web'))), 'a')).toMatchObject(error)
})

test('a server that is back within half a minute costs nothing but time', async () => {
  const { clock, incus, engine } = setUp()
  const lines: BatchLine[] = []
  const batch = engine.batch({ jobs: [job('a', take('web'))] }, (line) => lines.push(line))
  incus.answer = () => incus.operation({ after: 600_000 })
  await clock.advance(0)
  incus.kill()
  await clock.advance(20_000)
  incus.start()
  await clock.until(batch)
  expect(errorOf(lines, 'a')).toMatchObject({ code: 'vanished' })
})

test('the first failure ends a job, and the rest is not sent', async () => {
  const { incus, run } = setUp()
  incus.answer = (_, { path }) => (path.includes('broken') ? refusal(400, 'no') : undefined)
  const lines = await run(job('a', take('web'), take('broken'), take('never')))
  expect(stepsOf(lines, 'a')).toEqual([
    { ok: true },
    { ok: false, error: expect.objectContaining({ code: 'incus' }) },
  ])
  expect(incus.calls.map(({ call }) => call)).not.toContain(
    'POST /1.0/instances/never/snapshots?project=default',
  )
})

test.each<[string, { remote: string }, CallError['code']]>([
  ['a remote that nobody configured', { remote: 'moon' }, 'unknown-remote'],
  ['a remote called like a method', { remote: 'constructor' }, 'unknown-remote'],
])('%s is refused before the job sends anything', async (_, ref, code) => {
  const { incus, run } = setUp()
  const { ref: known } = take('web')
  const lines = await run(job('a', take('web'), take('web', { ref: { ...known, ...ref } })))
  expect(errorOf(lines, 'a').code).toBe(code)
  expect(incus.calls).toEqual([])
})

test('of two jobs with one lock the later fails, and the lock is free again after', async () => {
  const { run } = setUp()
  const lines = await run(
    { ...job('a', take('web')), lock: 'web' },
    { ...job('b', take('web')), lock: 'web' },
  )
  expect(stepsOf(lines, 'a')).toEqual([{ ok: true }])
  expect(errorOf(lines, 'b')).toMatchObject({ code: 'locked', message: expect.stringContaining('"a"') })
  const again = await run({ ...job('c', take('web')), lock: 'web' })
  expect(stepsOf(again, 'c')).toEqual([{ ok: true }])
})

test('a job that comes after another begins when that one has ended, even badly', async () => {
  const { incus, run } = setUp()
  incus.answer = (_, { path }) =>
    path.includes('first') ? incus.operation({ after: 5000, error: 'no' }) : undefined
  const lines = await run(job('a', take('first')), { ...job('b', take('second')), after: 'a' })
  expect(lines.map((line) => ('job' in line ? line.job : 'done'))).toEqual(['a', 'b', 'done'])
  expect(errorOf(lines, 'a').message).toBe('no')
})
