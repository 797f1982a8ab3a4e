import { describe, expect, test } from 'vitest'
import { parseInstances } from '../../../relay/engine/parse-instances.ts'
import { parseInventory } from '../../../relay/requests.ts'
import type { InstanceRecord } from '../../../shared/incus/inventory.ts'
import { parseVerified, renderVerified } from '../../../shared/work/copy/marks.ts'

const listed = (config: object, name = 'web'): object => ({
  ...{ name, project: 'default', type: 'container', status: 'Running', location: 'none' },
  ...{ config, expanded_config: config, expanded_devices: {} },
})

const recordsOf = (instances: readonly object[], selectedBy: readonly string[] = []): InstanceRecord[] =>
  parseInstances(instances, { remote: 'main', server: 'f' }, selectedBy)?.records ?? expect.fail('no list')

function recordOf(config: object, selectedBy: readonly string[] = []): InstanceRecord {
  const [record] = recordsOf([listed(config)], selectedBy)
  return record ?? expect.fail('no record')
}

const NAMED = { 'user.stapes.policy': 'daily', 'user.tier': 'gold', 'user.note': 'n', 'limits.cpu': '2' }

test('only the keys of stapes leave the server, and those that the caller names', () => {
  expect(recordOf(NAMED).config).toEqual({ 'user.stapes.policy': 'daily' })
  expect(recordOf(NAMED, ['user.tier', 'limits.cpu']).config).toEqual({
    'user.stapes.policy': 'daily',
    'user.tier': 'gold',
  })
  expect(recordOf(NAMED, ['user.tier']).own).toEqual(['user.stapes.policy', 'user.tier'])
})

test.each([
  'user.user-data',
  'user.vendor-data',
  'user.network-config',
  'user.meta-data',
  'cloud-init.user-data',
])('%s stays there, even if it is named', (key) => {
  expect(recordOf({ [key]: 'password' }, [key])).toMatchObject({ config: {}, own: [] })
})

test('an instance with the marks of a copy of itself was copied back, and is none', () => {
  const marks = {
    'user.stapes.replica-of': 'main/default/web',
    'user.stapes.replica-of.server': 'f',
    'user.stapes.verified': 'daily-20261122T0300Z@1',
    'user.stapes.hold.x': 'kept',
  }
  expect(recordOf(marks).own).toEqual(['user.stapes.replica-of.server', 'user.stapes.hold.x'])
  // The backup server, under the source's name: it has the copy itself.
  const elsewhere = { ...marks, 'user.stapes.replica-of.server': 'another' }
  expect(recordOf(elsewhere).config).toEqual(elsewhere)
  expect(recordOf({ ...marks, 'user.stapes.replica-of': 'main/default/other' }).config).toEqual({
    ...marks,
    'user.stapes.replica-of': 'main/default/other',
  })
})

test('attached custom volumes are named, and no other disks', () => {
  const expanded_devices = {
    root: { type: 'disk', path: '/', pool: 'default' },
    data: { type: 'disk', path: '/srv', pool: 'fast', source: 'data' },
    block: { type: 'disk', pool: 'default', source: 'raw' },
    host: { type: 'disk', path: '/mnt', source: '/srv' },
    eth0: { type: 'nic', network: 'br0' },
  }
  const [record] = recordsOf([{ ...listed({}), expanded_devices }])
  expect(record?.volumes).toEqual(['default/raw', 'fast/data'])
  expect(recordOf({})).not.toHaveProperty('volumes')
})

describe('a value that is too long', () => {
  test.each([
    ['user.stapes.expiry', 4097],
    ['user.tier', 4097],
    ['user.stapes.verified', 262_145],
  ])('%s of %d characters is not cut: its instance is unknown, with the reason', (key, length) => {
    const record = recordOf({ [key]: 'x'.repeat(length), 'user.stapes.policy': 'daily' }, ['user.tier'])
    expect(record).toMatchObject({ config: {}, own: [], offline: true, oversized: true, snapshots: null })
    expect(record.problem).toContain(`its key ${key} has ${length} characters`)
    expect(recordOf({ [key]: 'x'.repeat(length - 1) }, ['user.tier'])).not.toHaveProperty('problem')
  })

  test('so is one with very many keys', () => {
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [`user.stapes.hold.${at}`, 'x'.repeat(4000)]),
    )
    expect(recordOf(many).problem).toContain('characters together')
  })

  test('the mark of thousands of verified snapshots is read whole', () => {
    const pairs = Array.from({ length: 6000 }, (_, at): [string, number] => [
      `hourly-20261122T${at}Z`,
      1_795_378_755 + at,
    ])
    const { config } = recordOf({ 'user.stapes.verified': renderVerified(pairs) })
    expect(parseVerified(config['user.stapes.verified'])).toHaveLength(6000)
  })
})

test('many instances with keys of lawful length make the largest unknown, not the answer endless', () => {
  const large = Array.from({ length: 100 }, (_, at) =>
    listed({ 'user.stapes.verified': 'x'.repeat(260_000) }, `large${at}`),
  )
  const records = recordsOf([listed({ 'user.stapes.verified': 'a@1' }, 'web'), ...large])
  expect(JSON.stringify(records).length).toBeLessThan(11_000_000)
  expect(records[0]).toMatchObject({ name: 'web', config: { 'user.stapes.verified': 'a@1' } })
  expect(records.filter(({ oversized }) => oversized === true).length).toBeGreaterThan(30)
})

test('the relay takes user.* keys alone', () => {
  const parsed = (config: unknown) => parseInventory(Buffer.from(JSON.stringify({ remotes: [], config }))).ok
  expect(parsed(['user.tier'])).toBe(true)
  for (const config of [
    ['limits.cpu'],
    ['volatile.uuid'],
    [''],
    [`user.${'x'.repeat(500)}`],
    'user.tier',
    [1],
  ])
    expect([config, parsed(config)]).toEqual([config, false])
})
