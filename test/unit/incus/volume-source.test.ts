/** A custom volume as a copy of it needs it. */
import { expect, test } from 'vitest'
import { parseVolumeSource } from '../../../shared/incus/source.ts'

const VOLUME = {
  ...{ content_type: 'block', created_at: '2026-11-22T20:19:15.821638194Z', location: 'none' },
  ...{ description: 'of the shop', config: { size: '8MiB' } },
}

test('a volume is read with its content, and with what tells it from others of its name', () => {
  const read = parseVolumeSource(VOLUME, [{ name: 's1', expires_at: '0001-01-01T00:00:00Z' }])
  expect(read).toMatchObject({
    ok: true,
    value: {
      ...{ type: 'volume', contentType: 'block', uuid: '2026-11-22T20:19:15_821638194Z' },
      ...{ config: { size: '8MiB' }, description: 'of the shop', snapshots: [{ name: 's1' }] },
    },
  })
})

test.each([
  ['of a length that no date has', { created_at: '2'.repeat(5000) }],
  ['with spaces in it', { created_at: 'x y' }],
])('a date %s becomes no mark', (_, more) => {
  expect(parseVolumeSource({ ...VOLUME, ...more }, [])).toMatchObject({ ok: true, value: { uuid: null } })
})

test.each([
  ['without its content', { ...VOLUME, content_type: '' }, []],
  ['whose config is no map', { ...VOLUME, config: { size: 1 } }, []],
  ['whose snapshots are no list', VOLUME, null],
])('a volume %s is none', (_, one, list) => {
  expect(parseVolumeSource(one, list).ok).toBe(false)
})
