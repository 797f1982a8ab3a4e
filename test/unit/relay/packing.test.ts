import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { InstanceRecord, SnapshotPair } from '../../../shared/incus/inventory.ts'
import { serializeReply, unpackReply } from '../../../shared/relay/packing.ts'
import type { InventoryReply } from '../../../shared/relay/protocol.ts'

const record = (name: string, snapshots: SnapshotPair[] | null): InstanceRecord => ({
  project: 'default',
  name,
  type: 'container',
  status: 'Running',
  location: 'none',
  pool: 'default',
  config: { 'user.stapes.policy': 'daily' },
  own: [],
  snapshots,
  ...(snapshots === null ? { problem: 'its pool can’t be listed' } : {}),
})

const replyOf = (instances: InstanceRecord[]): InventoryReply => ({
  remotes: {
    main: {
      ok: true,
      inventory: {
        server: { fingerprint: 'ab', version: '6.0.4', clustered: false },
        projects: ['default'],
        pools: { default: 'zfs' },
        instances,
        operations: [],
      },
    },
    backup: { ok: false, error: { code: 'unreachable', message: 'no connection' } },
  },
  jobs: [{ id: 'copy', state: 'running', since: '2026-11-22T03:00:00.000Z' }],
})

/** As it arrives: through JSON. */
const travel = (reply: InventoryReply): InventoryReply => unpackReply(JSON.parse(serializeReply(reply)))

const named: [string, InstanceRecord[]][] = [
  ['no instances', []],
  ['an instance without snapshots', [record('web', [])]],
  ['snapshots that could not be listed', [record('web', null), record('db', [['a', 5]])]],
  ['the same name at another time', [record('web', [['a', 1700000000]]), record('db', [['a', 1700000003]])]],
  ['a snapshot from the epoch', [record('web', [['a', 0]]), record('db', [['b', 1700000000]])]],
  ['names that objects have anyway', [record('web', [['__proto__', 1]]), record('db', [['constructor', 2]])]],
]

test.each(named)('%s arrives as it was sent', (_, instances) => {
  const reply = replyOf(instances)
  expect(travel(reply)).toEqual(reply)
})

test('whatever the snapshots, they arrive in their order, with their own dates', () => {
  const pair = fc.tuple(fc.string(), fc.nat(4_000_000_000))
  const snapshots = fc.option(fc.array(pair))
  fc.assert(
    fc.property(fc.array(snapshots), (lists) => {
      const reply = replyOf(lists.map((list, at) => record(`web${at}`, list)))
      expect(travel(reply)).toEqual(reply)
    }),
  )
})

test('a name that many instances share travels once', () => {
  const instances = Array.from({ length: 50 }, (_, at) => record(`web${at}`, [['hourly-20261122T0300Z', at]]))
  expect(serializeReply(replyOf(instances)).split('hourly-20261122T0300Z')).toHaveLength(2)
})
