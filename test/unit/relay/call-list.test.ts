/** Requests to Incus, one after the other: what each learns of the ones before, and what is never sent. */
import { expect, test } from 'vitest'
import { runCalls } from '../../../relay/engine/call-list.ts'
import type { Call } from '../../../relay/engine/calls.ts'
import { request } from '../../../shared/incus/routes.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { callIo } from './call-io.ts'
import { createFakeIncus, refusal, sync } from './fake-incus.ts'
import { SLOT } from './steps.ts'
import { createVirtualClock } from './virtual-clock.ts'

function setUp() {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  const io = callIo(incus, clock)
  const run = (...calls: Call[]) => clock.until(runCalls(calls, io))
  const errorOf = async (...calls: Call[]): Promise<CallError> => {
    const ran = await run(...calls)
    if (ran.ok) throw new Error('it should fail')
    return ran.error
  }
  return { incus, run, errorOf }
}

test('what may be gone already counts as deleted', async () => {
  const { incus, run, errorOf } = setUp()
  incus.answer = () => refusal(404, 'not there')
  const drop = { remote: 'main', ...request('deleteSnapshot', { instance: 'web', snapshot: SLOT }) }
  expect((await run({ ...drop, tolerate: [404] })).ok).toBe(true)
  expect((await errorOf(drop)).status).toBe(404)
})

const EXPIRY = '2026-11-22T03:00:00Z'
const change: Call = {
  remote: 'main',
  ...request(
    'patchSnapshot',
    { instance: 'web', snapshot: SLOT },
    {},
    { expires_at: '2026-12-01T00:00:00Z' },
  ),
}

test.each([
  ['as it was seen, in whatever form', '2026-11-22T05:00:00+02:00', ['GET', 'PATCH "e1"']],
  ['another one', '2026-11-22T03:00:01Z', ['GET']],
  ['never', '0001-01-01T00:00:00Z', ['GET']],
])('an expiry is changed only while it is the one that was seen: it is %s', async (_, present, sent) => {
  const { incus, run } = setUp()
  incus.answer = (_remote, { method }) =>
    method === 'GET' ? { ...sync({ expires_at: present }), etag: '"e1"' } : undefined
  expect((await run({ ...change, ifExpiresAt: EXPIRY })).ok).toBe(true)
  const asked = incus.calls.map(({ call, ifMatch }) =>
    [call.split(' ')[0], ...(ifMatch === undefined ? [] : [ifMatch])].join(' '),
  )
  expect(asked).toEqual(sent)
})

test('an expiry that is changed between a look and the change stays, and that is well', async () => {
  const { incus, run, errorOf } = setUp()
  incus.answer = (_, { method }) =>
    method === 'GET'
      ? { ...sync({ expires_at: EXPIRY }), etag: '"e1"' }
      : refusal(412, "ETag doesn't match: a vs b")
  expect((await run({ ...change, ifExpiresAt: EXPIRY })).ok).toBe(true)
  expect((await errorOf(change)).status).toBe(412)
})

test('an expiry that can’t be read isn’t changed', async () => {
  const { incus, errorOf } = setUp()
  incus.answer = () => refusal(500, 'database is locked')
  expect((await errorOf({ ...change, ifExpiresAt: EXPIRY })).message).toBe('database is locked')
  expect(incus.calls.map(({ call }) => call.split(' ')[0])).toEqual(['GET'])
})

test('what comes after a call that may fail is made all the same', async () => {
  const { incus, run, errorOf } = setUp()
  incus.answer = (_, { method }) => (method === 'DELETE' ? refusal(500, 'dataset is busy') : undefined)
  const drop: Call = { remote: 'main', ...request('deleteSnapshot', { instance: 'web', snapshot: SLOT }) }
  expect((await run({ ...drop, optional: true }, change)).ok).toBe(true)
  expect(incus.calls.map(({ call }) => call.split(' ')[0])).toEqual(['DELETE', 'PATCH'])
  expect((await errorOf(drop, change)).message).toBe('dataset is busy')
})

const send: Call = {
  remote: 'main',
  ...request('sendInstance', { instance: 'web' }, {}, { migration: true }),
}
const receive: Call = {
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
  expect((await run(send, receive)).ok).toBe(true)
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
  await run(send, receive)
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
    const { incus, errorOf } = setUp()
    const bad: Call = {
      ...receive,
      ...request('receiveInstance', {}, {}, { source: { type: 'migration', secrets: body } }),
    }
    expect((await errorOf({ ...send, cancelOnFailure: true }, bad)).code).toBe('bad-request')
    expect(incus.cancelled).toEqual(['op1'])
  },
)

test('a copy that outlasts its wait keeps its source', async () => {
  const { incus, errorOf } = setUp()
  incus.answer = (_, { path }) => (path === '/1.0' ? SERVER : incus.operation({ after: 9e9, secrets: {} }))
  const error = await errorOf({ ...send, cancelOnFailure: true }, { ...receive, wait: 10 })
  expect(error.code).toBe('running')
  expect(incus.cancelled).toEqual([])
})

test('a body is checked as it will be sent, references filled in', async () => {
  const { incus, errorOf } = setUp()
  incus.answer = (_, { method }) =>
    method === 'GET' ? sync({ config: { 'security.privileged': 'true' } }) : undefined
  const read: Call = { remote: 'main', ...request('getInstance', { instance: 'web' }) }
  const mark: Call = {
    remote: 'main',
    method: 'PATCH',
    path: '/1.0/instances/web',
    body: { $step: 0, pointer: '/metadata' },
  }
  expect((await errorOf(read, mark)).code).toBe('not-allowed')
})

test('what a reference brings in is checked too: keys that differ in case alone', async () => {
  const { incus, errorOf } = setUp()
  incus.answer = () => incus.operation({ after: 1000, secrets: { type: 'migration', TYPE: 'image' } })
  const bad = request('receiveInstance', {}, {}, { source: { $step: 0, pointer: '/metadata/metadata' } })
  expect((await errorOf(send, { remote: 'backup', ...bad })).code).toBe('not-allowed')
  expect(incus.calls.filter(({ remote }) => remote === 'backup')).toEqual([])
})

test.each<[string, Partial<Call>]>([
  ['a call that stapes never makes', { method: 'GET', path: '/1.0/certificates' }],
  ['a way out of the table', { path: '/1.0/instances/..%2fcertificates' }],
])('%s is never sent', async (_, call) => {
  const { incus, errorOf } = setUp()
  expect((await errorOf({ ...send, ...call })).code).toBe('not-allowed')
  expect(incus.calls).toEqual([])
})
