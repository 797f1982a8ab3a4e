/** Whether an export can begin, of which snapshot, and its action. */
import { refuseWay } from '../../incus/export-trust.ts'
import type { InstanceRecord, SnapshotPair } from '../../incus/inventory.ts'
import { refuseBackups, refuseRoom } from '../../incus/project-rules.ts'
import { aheadOf } from '../../incus/snapshot-name.ts'
import { own } from '../../own.ts'
import type { PlanInput } from '../../plan/context.ts'
import type { Found } from '../../plan/find.ts'
import { driverOf } from '../../plan/freezing.ts'
import { type Installation, renderInstallation } from '../../plan/installation.ts'
import type { Refusal } from '../../plan/plan.ts'
import { rulesOf, type World } from '../../plan/world.ts'
import { isBucket } from '../../policy/buckets.ts'
import { isOfMember } from '../../policy/volumes.ts'
import { refuseEvidence } from '../restore/evidence.ts'
import type { ExportAction, ExportRequest } from './action.ts'
import type { ExportWork } from './entry.ts'
import { LIVE } from './manifest.ts'
import { jobOf } from './steps.ts'

type Wanted = Pick<ExportRequest, 'to' | 'optimized'>

export const refuseExport = (found: Found, wanted: Wanted, world: World): Refusal | null =>
  refuseStore(found, wanted, world) ??
  refuseServer(found, world) ??
  refuseVolume(found) ??
  refuseForm(found, wanted, world) ??
  refuseProject(found, world)

/** Null: none is known to be complete. One that is dated in the future may be years old, and comes last. */
export function newestComplete(
  found: Found,
  known: Pick<PlanInput, 'coverages' | 'world' | 'ledger' | 'now'>,
): SnapshotPair | null {
  if (isBucket(found.record)) return [LIVE, Math.floor(known.now.getTime() / 1000)]
  const isAhead = aheadOf(known.now)
  return (
    [...found.snapshots]
      .sort((one, other) => Number(isAhead(one)) - Number(isAhead(other)) || other[1] - one[1])
      .find(([name]) => refuseEvidence(found, name, known) === null) ?? null
  )
}

function refuseStore({ key, ref }: Found, { to }: Wanted, world: World): Refusal | null {
  const rules = rulesOf(world, ref.remote)
  const stores = rules?.exports ?? []
  if (rules?.role === 'target')
    return {
      code: 'forbidden',
      reason: `${key} is on a backup target, of which nothing is exported: name an instance on its source`,
    }
  if (stores.includes(to)) return null
  const which = stores.length === 0 ? 'it has none' : `it has ${stores.join(', ')}`
  return {
    code: 'not-found',
    reason: `the relay has no store "${to}" to export to; ${which}: see "exports" in its configuration`,
  }
}

function refuseServer({ key, ref, record }: Found, { remotes }: World): Refusal | null {
  const reply = own(remotes, ref.remote)
  const way = isBucket(record) ? 'backup of a bucket' : 'named backup'
  const why = reply?.ok === true ? refuseWay(way, reply.inventory.server.version) : null
  return why === null ? null : { code: 'unverified', reason: `${key} can't be exported: ${why}` }
}

/** Incus takes no snapshot of an image, and of a dependent volume only with its instance. */
function refuseVolume({ key, record }: Found): Refusal | null {
  const { unsnapped, unready } = record
  if (unready !== undefined) return { code: 'forbidden', reason: `${key} can't be exported: ${unready}` }
  if (unsnapped !== undefined)
    return {
      code: 'forbidden',
      reason: `${key} is ${unsnapped}, and an export is made of a snapshot${unsnapped.startsWith('an ISO') ? ': it never changes, so keep the file that it was made of elsewhere' : ''}`,
    }
  return !isOfMember(record)
    ? null
    : {
        code: 'forbidden',
        reason: `${key} is a volume of one member of a cluster, of which stapes makes no exports yet`,
      }
}

const ABLE: readonly (string | undefined)[] = ['btrfs', 'zfs']

function refuseForm({ key, ref, record }: Found, { optimized }: Wanted, world: World): Refusal | null {
  if (optimized === true && isBucket(record))
    return {
      code: 'driver',
      reason: `${key} is a bucket, which has no form of its own for exports: leave "optimized" out`,
    }
  const driver = driverOf(world, ref.remote, record.pool)
  return optimized !== true || ABLE.includes(driver)
    ? null
    : {
        code: 'driver',
        reason: `${key} is in a pool of ${driver ?? 'an unknown driver'}, which has no form of its own for exports: leave "optimized" out`,
      }
}

/** An instance of its own is made of the snapshot, or a volume. */
function refuseProject({ ref, key, record }: Found, { remotes }: World): Refusal | null {
  const reply = own(remotes, ref.remote)
  if (reply?.ok !== true) return null
  const rules = own(reply.inventory.projectRules, ref.project)
  const there = countsIn(reply.inventory.instances, ref.project)
  const why =
    refuseBackups(ref.project, rules) ??
    (record.type === 'volume' || isBucket(record)
      ? null
      : refuseRoom(
          ref.project,
          rules,
          there,
          typeOf(record),
          '; an export needs an instance of its own for a while',
        ))
  return why === null ? null : { code: 'forbidden', reason: `${key} can't be exported: ${why}` }
}

type Counts = { container: number; 'virtual-machine': number }

const counted = new WeakMap<readonly InstanceRecord[], Map<string, Counts>>()

/** Cached, as all instances of a project have the same. */
function countsIn(instances: readonly InstanceRecord[], project: string): Counts {
  const projects = counted.get(instances) ?? new Map<string, Counts>()
  counted.set(instances, projects)
  const known = projects.get(project)
  if (known !== undefined) return known
  const mine = instances.filter((one) => one.project === project)
  const count = (wanted: InstanceRecord['type']): number => mine.filter(({ type }) => type === wanted).length
  const counts = { container: count('container'), 'virtual-machine': count('virtual-machine') }
  projects.set(project, counts)
  return counts
}

const typeOf = ({ type }: Found['record']) =>
  type === 'virtual-machine' ? ('virtual-machine' as const) : ('container' as const)

export const actionOf = (
  { ref, key }: Pick<Found, 'ref' | 'key'>,
  snapshot: string,
  wanted: Pick<ExportAction, 'store' | 'optimized' | 'name' | 'policy' | 'reason'>,
  installation: Installation,
): ExportAction => ({
  ...{ kind: 'export', ref, snapshot, ...wanted },
  owner: renderInstallation(installation),
  job: jobOf({ key, store: wanted.store }, wanted.name, 0),
})

/** `20261122T030000Z`. */
export const nameAt = (now: Date): string => now.toISOString().replace(/[-:]|\.\d+/g, '')

export const entryOf = (
  { store, snapshot, name, optimized, policy, job }: ExportAction,
  now: Date,
): ExportWork => ({
  ...{ state: 'started', store, snapshot, name, job, attempts: 0, at: now.toISOString() },
  ...(optimized ? { optimized: true as const } : {}),
  ...(policy === undefined ? {} : { policy }),
})
