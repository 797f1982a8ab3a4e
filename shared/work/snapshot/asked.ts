/** What a request says of the snapshots that it wants: their name, when they end, and whether they have the memory. */
import type { SnapshotPair } from '../../incus/inventory.ts'
import { refuseName } from '../../incus/snapshot-name.ts'
import { nameKept } from '../../plan/renaming.ts'
import type { AnyRequest } from '../../plan/request.ts'
import type { Wishes } from '../../plan/wishes.ts'
import type { Covered } from '../../policy/cover.ts'
import { isVolume } from '../../policy/volumes.ts'
import type { Requested } from '../kind.ts'
import type { SnapshotAction } from './action.ts'

/** Why it can't be had of one instance; null: it can. */
export function refuseWish(
  { key, ref, record }: Covered,
  { name, reuse, stateful }: Wishes,
  requested: Requested<AnyRequest>,
): string | null {
  const badName = name === undefined ? null : refuseName(name)
  if (badName !== null) return badName
  const snapshots = record.snapshots ?? []
  const former = name === undefined ? undefined : snapshots.find(([one]) => one === name)
  if (former !== undefined && reuse !== true)
    return `it has a snapshot "${name}" already: choose another name, or say that it is to be used again (--reuse)`
  if (former !== undefined) {
    const kept = nameKept({ key, ref, record, snapshots }, former[0], requested)
    if (kept !== null) return kept.reason
    const aside = asideOf(former)
    if (snapshots.some(([one]) => one === aside)) return `it has a snapshot "${aside}" already`
  }
  return stateful === true ? refuseMemory(record) : null
}

function refuseMemory(record: Covered['record']): string | null {
  if (isVolume(record)) return 'a custom volume has no memory'
  if (record.status !== 'Running') return `it is ${record.status}, so it has no memory that could be kept`
  return record.memory === true
    ? null
    : 'Incus keeps its memory only with migration.stateful=true on it: stop it, set that, and for a virtual machine size.state on its root disk to more than its limits.memory'
}

/** `before-upgrade` of 22 November gets `before-upgrade.20261122T0301Z`. */
function asideOf([name, createdAt]: SnapshotPair): string {
  const date = new Date(createdAt * 1000).toISOString().replace(/[-:]/g, '').slice(0, 13)
  return `${name.slice(0, 47)}.${date}Z`
}

export function namingOf(
  { name }: Wishes,
  covered: readonly Covered[],
): ((key: string) => SnapshotAction['as']) | undefined {
  if (name === undefined) return undefined
  const former = new Map(
    covered.map(({ key, record }) => [key, record.snapshots?.find(([one]) => one === name)] as const),
  )
  return (key) => {
    const pair = former.get(key)
    return { name, aside: pair === undefined ? null : { name: asideOf(pair), createdAt: pair[1] } }
  }
}
