import { describe, expect, test } from 'vitest'
import { snapshotStandstill, treatmentOf } from '../../../shared/plan/freezing.ts'
import { recordOf } from '../policy/instances.ts'

const web = recordOf('web1', { status: 'Running' })
const vm = recordOf('vm1', { status: 'Running', type: 'virtual-machine' })
const stopped = recordOf('web1', { status: 'Stopped' })

describe('while its snapshot is made', () => {
  test.each([
    ['a container on btrfs goes on', web, 'btrfs', false, null],
    ['a container on zfs goes on', web, 'zfs', false, null],
    ['a container on dir is frozen', web, 'dir', false, 'it is frozen until dir has copied all of its data'],
    ['a container on lvm is frozen', web, 'lvm', false, 'it is frozen for a moment, because lvm requires it'],
    ['a machine on ceph is paused', vm, 'ceph', false, 'it is paused for a moment, because ceph requires it'],
    ['a machine on btrfs goes on', vm, 'btrfs', false, null],
    ['its memory costs time', vm, 'btrfs', true, 'it stands still while its memory is written'],
    ['what is stopped has nothing to lose', stopped, 'dir', false, null],
    ['nothing is said of an unknown driver', web, undefined, false, null],
  ] as const)('%s', (_, record, driver, stateful, words) => {
    expect(snapshotStandstill(record, driver, stateful)).toBe(words)
  })
})

describe('while it is copied', () => {
  const freely = { inconsistent: false, standstill: null }
  const torn = { inconsistent: true, standstill: null }
  test.each([
    ['a container from btrfs needs nothing', web, 'btrfs', 'dir', freely],
    ['a container from dir may be inconsistent', web, 'dir', 'btrfs', torn],
    ['so may a stopped one, for it may be started before its turn', stopped, 'dir', 'dir', torn],
    ['a machine between two btrfs pools needs nothing', vm, 'btrfs', 'btrfs', freely],
    ['a machine between two zfs pools needs nothing', vm, 'zfs', 'zfs', freely],
    ['a machine from btrfs to dir may be inconsistent', vm, 'btrfs', 'dir', torn],
    ['a machine between two ceph pools may be inconsistent', vm, 'ceph', 'ceph', torn],
    ['a machine whose target is not known may be inconsistent', vm, 'btrfs', undefined, torn],
    ['what is on an unknown driver may be inconsistent', web, undefined, 'btrfs', torn],
  ] as const)('%s', (_, record, source, target, treatment) => {
    expect(treatmentOf({ record, source, target, allow: 'inconsistent', took: undefined })).toEqual(treatment)
  })

  test.each([
    ['it is frozen for as long as it takes', web, undefined, 'frozen', 'however long it takes'],
    ['the last transfer tells how long', web, 61.4, 'frozen', 'the last one took 62 s'],
    ['in minutes, where it is long', vm, 700, 'paused', 'the last one took 12 min'],
  ] as const)('a policy may want it whole: %s', (_, record, took, what, last) => {
    expect(treatmentOf({ record, source: 'dir', target: 'dir', allow: 'freeze', took })).toEqual({
      inconsistent: false,
      standstill: `it is ${what} for the whole copy (dir): ${last}`,
    })
  })

  test('what is stopped has nothing to lose by it', () => {
    const still = { record: stopped, source: 'dir', target: 'dir', allow: 'freeze', took: 5 } as const
    expect(treatmentOf(still)).toEqual(freely)
  })
})
