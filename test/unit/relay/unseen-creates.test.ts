/** Which snapshots may be partial, because the relay saw no end of their creation. */
import { expect, test } from 'vitest'
import type { Call } from '../../../relay/engine/calls.ts'
import { createUnseenCreates } from '../../../relay/engine/unseen-creates.ts'
import { request } from '../../../shared/incus/routes.ts'
import type { CallError } from '../../../shared/relay/protocol.ts'
import { createVirtualClock } from './virtual-clock.ts'

const create = (name: string): Call => ({
  remote: 'main',
  ...request('createSnapshot', { instance: 'web' }, { project: 'p' }, { name }),
})
const remove = (snapshot: string): Call => ({
  remote: 'main',
  ...request('deleteSnapshot', { instance: 'web', snapshot }, { project: 'p' }),
})
const error = (code: CallError['code']): CallError => ({ code, message: code })

test.for<CallError['code']>(['timeout', 'vanished', 'bad-reply'])('one that ended with %s may be', (code) => {
  const unseen = createUnseenCreates(createVirtualClock())
  unseen.failed(create('s1'), error(code))
  expect(unseen.of('main')).toEqual(['p/web/s1'])
  expect(unseen.of('backup')).toEqual([])
})

test.for<CallError['code']>(['incus', 'unreachable', 'running', 'locked', 'not-allowed'])(
  'one that ended with %s is not',
  (code) => {
    const unseen = createUnseenCreates(createVirtualClock())
    unseen.failed(create('s1'), error(code))
    expect(unseen.of('main')).toEqual([])
  },
)

test('a deletion whose end nobody saw makes nothing partial', () => {
  const unseen = createUnseenCreates(createVirtualClock())
  unseen.failed(remove('s1'), error('timeout'))
  expect(unseen.of('main')).toEqual([])
})

test('it is over once it was deleted, or made again, and after a day', async () => {
  const clock = createVirtualClock()
  const unseen = createUnseenCreates(clock)
  for (const name of ['s1', 's2', 's3']) unseen.failed(create(name), error('timeout'))
  unseen.done(remove('s1'))
  unseen.done(create('s2'))
  expect(unseen.of('main')).toEqual(['p/web/s3'])
  await clock.advance(86_400_000)
  expect(unseen.of('main')).toEqual([])
})

test('one that was seen to succeed isn’t partial, though a second try of the same has no known end', async () => {
  const clock = createVirtualClock()
  const unseen = createUnseenCreates(clock)
  unseen.done(create('s1'))
  unseen.failed(create('s1'), error('timeout'))
  expect(unseen.of('main')).toEqual([])
  // It may be gone since, and the next one partial.
  unseen.failed(remove('s1'), error('timeout'))
  unseen.failed(create('s1'), error('timeout'))
  expect(unseen.of('main')).toEqual(['p/web/s1'])
  unseen.done(create('s2'))
  unseen.done(remove('s2'))
  unseen.failed(create('s2'), error('timeout'))
  expect(unseen.of('main')).toEqual(['p/web/s1', 'p/web/s2'])
  unseen.done(create('s3'))
  await clock.advance(clock.now() + 601_000)
  unseen.failed(create('s3'), error('timeout'))
  expect(unseen.of('main')).toContain('p/web/s3')
})
