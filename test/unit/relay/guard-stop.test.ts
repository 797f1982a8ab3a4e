/** The relay shuts an instance down only for the restore of a volume that it uses, and only if it can run again. */
import { describe, expect, test } from 'vitest'
import { runCalls } from '../../../relay/engine/call-list.ts'
import { createSeal } from '../../../relay/engine/seal.ts'
import { request } from '../../../shared/incus/routes.ts'
import { callIo } from './call-io.ts'
import { createFakeIncus, refusal, sync } from './fake-incus.ts'
import { createVirtualClock } from './virtual-clock.ts'

const SNAPSHOTS = 'daily-20261121T0300Z before-restore-20261122T0300Z stopped'
const VOLUME = { remote: 'main', project: 'p', instance: 'fast:data' }
const DISK = { type: 'disk', pool: 'fast', source: 'data', path: '/data' }
const WEB = { status: 'Running', ephemeral: false, config: {}, expanded_config: {} }

const clean = { action: 'stop', timeout: 120, force: false }

/** `mark`: on the volume. */
async function stop(mark: string | null, more: object = {}, body: object = clean) {
  const clock = createVirtualClock()
  const incus = createFakeIncus(clock)
  incus.answer = (_, { method, path }) => {
    if (method !== 'GET') return sync({})
    if (path.includes('/volumes/custom/data'))
      return mark === null ? refusal(404, 'not found') : sync({ config: { 'user.stapes.restoring': mark } })
    return sync({ ...WEB, expanded_devices: { data: DISK }, ...more })
  }
  const step = request('startInstance', { instance: 'web1' }, { project: 'p' }, body)
  const io = callIo(incus, clock)
  await clock.until(runCalls([{ remote: 'main', ...step }], io))
  return incus.calls.some(({ call }) => call.startsWith('PUT'))
}

const sealed = (text: string): string => createSeal(SECRET).put(VOLUME, `${SNAPSHOTS}${text}`)

/** Of the relay in `callIo`. */
const SECRET = 'of the relay'

describe('an instance is shut down', () => {
  test('where the mark of a volume that it uses names it', async () => {
    expect(await stop(sealed(' of db,web1'))).toBe(true)
    expect(await stop(sealed(' writing of web1'))).toBe(true)
  })

  test.each<[string, string | null, object?, object?]>([
    ['without a volume', null],
    ['by a mark that the relay did not set', `${SNAPSHOTS} of web1 ~x`],
    ['by one that names others', sealed(' of db')],
    ['before the safety snapshot is there', sealed(' taking of web1')],
    ['where it does not use that volume', sealed(' of web1'), { expanded_devices: {} }],
    ['where Incus would delete it', sealed(' of web1'), { ephemeral: true }],
    [
      'where it could not be started again',
      sealed(' of web1'),
      { expanded_config: { 'security.protection.start': 'true' } },
    ],
    ['by force', sealed(' of web1'), {}, { ...clean, force: true }],
    ['without time to do so', sealed(' of web1'), {}, { ...clean, timeout: 1 }],
  ])('not %s', async (_, mark, more, body) => {
    expect(await stop(mark, more, body)).toBe(false)
  })
})
