/** The wall clock of a server, by the dates of its operations. */
import { expect, test } from 'vitest'
import type { Reply } from '../../../relay/engine/upstream.ts'
import { watchZones } from '../../../relay/engine/zones.ts'
import { request } from '../../../shared/incus/routes.ts'

const ID = 'bd372541-bbf8-4706-a49b-dea6dbf358b3'
const operation = (created_at: unknown) => ({
  type: 'async',
  metadata: { id: ID, status_code: 103, created_at, err: '' },
})

async function zoneAfter(...bodies: unknown[]): Promise<number | null> {
  const left = [...bodies]
  const zones = watchZones({
    request: async (): Promise<Reply> => ({ ok: true, status: 202, body: left.shift() }),
  })
  for (const _ of bodies) await zones.upstream.request('main', request('getServer'), { timeout: 1 })
  expect(zones.of('other')).toBeNull()
  return zones.of('main')
}

test.each<[unknown, number | null]>([
  ['2026-11-28T01:14:22.991069073+05:30', 330],
  ['2026-11-28T01:14:22-03:00', -180],
  ['2026-11-28T01:14:22.9Z', 0],
  ['2026-11-28', null],
  [7, null],
])('%s', async (date, zone) => {
  expect(await zoneAfter(operation(date))).toBe(zone)
})

test('the newest one counts, and what is no operation says nothing', async () => {
  const instance = { type: 'sync', metadata: { name: 'web', created_at: '2026-11-28T01:14:22Z' } }
  const summer = operation('2026-07-01T10:00:00+02:00')
  const winter = operation('2026-12-01T10:00:00+01:00')
  expect(await zoneAfter(summer, winter, instance, null, { metadata: [] })).toBe(60)
})
