import { expect, test } from 'vitest'
import { createEngine } from '../../../relay/engine/engine.ts'
import { request } from '../../../shared/incus/routes.ts'
import type { BatchLine, CallError, Job, Step, StepReport } from '../../../shared/relay/protocol.ts'
import { createFakeIncus, type FakeIncus, refusal, sync } from './fake-incus.ts'
import { createVirtualClock } from './virtual-clock.ts'

const REMOTES = {
  main: { address: 'https://main.example:8443' },
  backup: { address: 'https://backup.example:8443' },
}

function setUp() {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const engine = createEngine({ upstream: incus, clock, remotes: REMOTES })
  const run = async (...jobs: Job[]): Promise<BatchLine[]> => {
    const lines: BatchLine[] = []
    await clock.until(engine.batch({ jobs }, (line) => lines.push(line)))
    return lines
  }
  return { clock, incus, engine, run }
}

const create = (instance: string, more: Partial<Step> = {}): Step => ({
  remote: 'main',
  wait: 60,
  ...request('createSnapshot', { instance }, {}, { name: 's1' }),
  ...more,
})

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
  const lines = await run(job('a', create('slow')), job('b', create('quick')))
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
  const lines = await run(job('a', create('full')), job('b', create('web')))
  expect(errorOf(lines, 'a')).toEqual({ code: 'incus', status: 500, message: 'No space left on device' })
  expect(stepsOf(lines, 'b')).toEqual([{ ok: true }])
})

const endings: {
  name: string
  make: (incus: FakeIncus) => void
  wait?: number
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
      incus.answer = () => incus.operation({ after: 600_000 })
    },
    wait: 20,
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

test.each(endings)('$name is told as $error.code', async ({ make, wait = 60, error }) => {
  const { incus, run } = setUp()
  make(incus)
  expect(errorOf(await run(job('a', create('web', { wait }))), 'a')).toMatchObject(error)
})

test('a server that is back within half a minute costs nothing but time', async () => {
  const { clock, incus, engine } = setUp()
  const lines: BatchLine[] = []
  const batch = engine.batch({ jobs: [job('a', create('web'))] }, (line) => lines.push(line))
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
  const lines = await run(job('a', create('web'), create('broken'), create('never')))
  expect(stepsOf(lines, 'a')).toEqual([
    { ok: true },
    { ok: false, error: expect.objectContaining({ code: 'incus' }) },
  ])
  expect(incus.calls.map(({ call }) => call)).not.toContain('POST /1.0/instances/never/snapshots')
})

test('what may be gone already counts as deleted', async () => {
  const { incus, run } = setUp()
  incus.answer = () => refusal(404, 'not there')
  const drop = { remote: 'main', ...request('deleteSnapshot', { instance: 'web', snapshot: 's1' }) }
  const lines = await run(job('a', { ...drop, tolerate: [404] }), job('b', drop))
  expect(stepsOf(lines, 'a')).toEqual([{ ok: true }])
  expect(errorOf(lines, 'b').status).toBe(404)
})

test('a reply is given back to those who ask: of an operation, as it ended', async () => {
  const { incus, run } = setUp()
  incus.answer = (_, { method }) => (method === 'GET' ? sync({ name: 'web' }) : undefined)
  const read: Step = { remote: 'main', reply: true, ...request('getInstance', { instance: 'web' }) }
  const lines = await run(job('a', read, create('web', { reply: true })))
  expect(stepsOf(lines, 'a')).toEqual([
    { ok: true, metadata: { name: 'web' } },
    { ok: true, metadata: expect.objectContaining({ status_code: 200 }) },
  ])
})

const send: Step = {
  remote: 'main',
  ...request('sendInstance', { instance: 'web' }, {}, { migration: true }),
}
const receive: Step = {
  remote: 'backup',
  wait: 3600,
  ...request(
    'receiveInstance',
    {},
    {},
    {
      source: {
        type: 'migration',
        operation: { $operationUrl: 0 },
        certificate: { $certificate: 'main' },
        secrets: { $step: 0, pointer: '/metadata/metadata' },
      },
    },
  ),
}

const SERVER = sync({ auth: 'trusted', environment: { certificate: 'PEM of main' } })

test('a copy learns what only the earlier step and the other server know', async () => {
  const { incus, run } = setUp()
  incus.answer = (remote, { path }) => {
    if (path === '/1.0') return SERVER
    return incus.operation({
      after: 1000,
      ...(remote === 'main' ? { secrets: { control: 'c', fs: 'f' } } : {}),
    })
  }
  const lines = await run(job('a', send, receive), job('b', send, receive))
  expect(stepsOf(lines, 'a')).toEqual([{ ok: true }, { ok: true }])
  expect(incus.calls.find(({ remote }) => remote === 'backup')?.body).toEqual({
    source: {
      type: 'migration',
      operation: 'https://main.example:8443/1.0/operations/op1',
      certificate: 'PEM of main',
      secrets: { control: 'c', fs: 'f' },
    },
  })
})

test('a copy is fetched from the very member that made its operation', async () => {
  const { incus, run } = setUp()
  incus.answer = (remote, { path }) => {
    if (path === '/1.0') return SERVER
    const operation = incus.operation({ after: 1000, secrets: {} })
    return remote === 'main' ? { ...operation, address: 'https://main-2.example:8443' } : operation
  }
  await run(job('a', send, receive))
  expect(incus.calls.find(({ remote }) => remote === 'backup')?.body).toMatchObject({
    source: { operation: 'https://main-2.example:8443/1.0/operations/op1' },
  })
})

const pointless: { name: string; body: unknown }[] = [
  { name: 'a step that comes later', body: { $step: 3, pointer: '' } },
  { name: 'itself', body: { $operationUrl: 1 } },
  { name: 'a part that the reply lacks', body: { $step: 0, pointer: '/metadata/nothing' } },
  { name: 'an inherited property', body: { $step: 0, pointer: '/constructor' } },
]

test.each(pointless)(
  'a reference to $name is a bad request, and the waiting source is cancelled',
  async ({ body }) => {
    const { incus, run } = setUp()
    const bad: Step = {
      ...receive,
      ...request('receiveInstance', {}, {}, { source: { type: 'migration', secrets: body } }),
    }
    const lines = await run(job('a', { ...send, cancelOnFailure: true }, bad))
    expect(errorOf(lines, 'a').code).toBe('bad-request')
    expect(incus.cancelled).toEqual(['op1'])
  },
)

test('a copy that outlasts its wait keeps its source', async () => {
  const { incus, run } = setUp()
  incus.answer = (_, { path }) => (path === '/1.0' ? SERVER : incus.operation({ after: 9e9, secrets: {} }))
  const lines = await run(job('a', { ...send, cancelOnFailure: true }, { ...receive, wait: 10 }))
  expect(errorOf(lines, 'a').code).toBe('running')
  expect(incus.cancelled).toEqual([])
})

const refused: { name: string; step: Partial<Step>; code: CallError['code'] }[] = [
  {
    name: 'a call that stapes never makes',
    step: { method: 'GET', path: '/1.0/certificates' },
    code: 'not-allowed',
  },
  { name: 'a way out of the table', step: { path: '/1.0/instances/..%2fcertificates' }, code: 'not-allowed' },
  { name: 'a remote that nobody configured', step: { remote: 'moon' }, code: 'unknown-remote' },
  { name: 'a remote called like a method', step: { remote: 'constructor' }, code: 'unknown-remote' },
]

test.each(refused)('$name is refused before the job sends anything', async ({ step, code }) => {
  const { incus, run } = setUp()
  const lines = await run(job('a', create('web'), create('web', step)))
  expect(errorOf(lines, 'a').code).toBe(code)
  expect(incus.calls).toEqual([])
})

test('a body is checked as it will be sent, references filled in', async () => {
  const { incus, run } = setUp()
  incus.answer = (_, { method }) =>
    method === 'GET' ? sync({ config: { 'security.privileged': 'true' } }) : undefined
  const read: Step = { remote: 'main', ...request('getInstance', { instance: 'web' }) }
  const mark: Step = {
    remote: 'main',
    method: 'PATCH',
    path: '/1.0/instances/web',
    body: { $step: 0, pointer: '/metadata' },
  }
  expect(errorOf(await run(job('a', read, mark)), 'a').code).toBe('not-allowed')
})

test('what a reference brings in is checked too: keys that differ in case alone', async () => {
  const { incus, run } = setUp()
  incus.answer = () => incus.operation({ after: 1000, secrets: { type: 'migration', TYPE: 'image' } })
  const bad = request('receiveInstance', {}, {}, { source: { $step: 0, pointer: '/metadata/metadata' } })
  const lines = await run(job('a', send, { remote: 'backup', ...bad }))
  expect(errorOf(lines, 'a').code).toBe('not-allowed')
  expect(incus.calls.filter(({ remote }) => remote === 'backup')).toEqual([])
})

test('of two jobs with one lock the later fails, and the lock is free again after', async () => {
  const { run } = setUp()
  const lines = await run(
    { ...job('a', create('web')), lock: 'web' },
    { ...job('b', create('web')), lock: 'web' },
  )
  expect(stepsOf(lines, 'a')).toEqual([{ ok: true }])
  expect(errorOf(lines, 'b')).toMatchObject({ code: 'locked', message: expect.stringContaining('"a"') })
  const again = await run({ ...job('c', create('web')), lock: 'web' })
  expect(stepsOf(again, 'c')).toEqual([{ ok: true }])
})

test('a job that comes after another begins when that one has ended, even badly', async () => {
  const { incus, run } = setUp()
  incus.answer = (_, { path }) =>
    path.includes('first') ? incus.operation({ after: 5000, error: 'no' }) : undefined
  const lines = await run(job('a', create('first')), { ...job('b', create('second')), after: 'a' })
  expect(lines.map((line) => ('job' in line ? line.job : 'done'))).toEqual(['a', 'b', 'done'])
  expect(errorOf(lines, 'a').message).toBe('no')
})
