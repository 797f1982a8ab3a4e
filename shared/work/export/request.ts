/** Requests to export an instance: whether that is possible now, and its plan. */
import { refuseWay } from '../../incus/export-trust.ts'
import { refuseBackups, refuseRoom } from '../../incus/project-rules.ts'
import { workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { type Found, findInstance, missing } from '../../plan/find.ts'
import { driverOf } from '../../plan/freezing.ts'
import type { Refusal } from '../../plan/plan.ts'
import { rulesOf, type World } from '../../plan/world.ts'
import { err, ok, type Result } from '../../result.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import type { Answer, Requestable, Requested } from '../kind.ts'
import { refuseEvidence } from '../restore/evidence.ts'
import type { ExportAction, ExportRequest } from './action.ts'
import { EXPORT, type ExportWork } from './entry.ts'
import { knownExports } from './known.ts'
import { jobOf } from './steps.ts'

export const requestExport: Requestable<ExportRequest> = {
  destructive: false,
  read: ({ instance, snapshot, to, optimized }, reason) =>
    instance === undefined || to === undefined
      ? err('export needs "instance" and "to", the store')
      : ok({
          ...{ do: 'export', instance, to, reason },
          ...(snapshot === undefined ? {} : { snapshot }),
          ...(optimized === true ? { optimized } : {}),
        }),
  plan: planRequested,
}

function planRequested(requested: Requested<ExportRequest>): Answer | Refusal {
  const { request, world, ledger, now, found } = requested
  const instance = findInstance(world, request.instance)
  if (!instance.ok) return instance.error
  const { key } = instance.value
  const running = knownExports(world, ledger, now).find((one) => one.key === key)?.entry
  const snapshot = snapshotOf(instance.value, requested)
  if (running !== undefined) return underWay(key, running, request)
  const refusal =
    refuseStore(instance.value, request, world) ??
    (snapshot.ok ? null : snapshot.error) ??
    refuseServer(instance.value, world) ??
    refuseForm(instance.value, request, world) ??
    refuseProject(instance.value, world)
  if (refusal !== null) return refusal
  const busy = found.busy.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  const action = actionOf(instance.value, snapshot.ok ? snapshot.value : '', requested)
  return {
    actions: [action],
    work: { [workKey(EXPORT, key)]: entryOf(action, now) },
    wake: [minutesFrom(now, 1)],
  }
}

function underWay(
  key: string,
  { store, snapshot, name }: ExportWork,
  { to }: ExportRequest,
): Answer | Refusal {
  const reason = `${snapshot} is being exported to ${store} as ${name}`
  return store === to
    ? { notes: [{ kind: 'wait', about: key, snapshot, reason }] }
    : { code: 'busy', reason: `${key}: ${reason}; try again when that has ended` }
}

/** The one that is named, or the newest; one that isn't known to be complete is no good. */
function snapshotOf(found: Found, requested: Requested<ExportRequest>): Result<string, Refusal> {
  const { snapshot } = requested.request
  if (snapshot !== undefined) {
    const refusal = missing(found, snapshot) ?? refuseEvidence(found, snapshot, requested)
    return refusal === null ? ok(snapshot) : err(refusal)
  }
  const newest = [...found.snapshots]
    .sort(([, one], [, other]) => other - one)
    .find(([name]) => refuseEvidence(found, name, requested) === null)
  return newest === undefined
    ? err({
        code: 'not-found',
        reason: `${found.key} has no snapshot that is known to be complete, and an export is made of one: /backup now takes one`,
      })
    : ok(newest[0])
}

function refuseStore({ key, ref }: Found, { to }: ExportRequest, world: World): Refusal | null {
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

function refuseServer({ key, ref }: Found, { remotes }: World): Refusal | null {
  const reply = own(remotes, ref.remote)
  const why = reply?.ok === true ? refuseWay('named backup', reply.inventory.server.version) : null
  return why === null ? null : { code: 'unverified', reason: `${key} can't be exported: ${why}` }
}

const ABLE: readonly (string | undefined)[] = ['btrfs', 'zfs']

function refuseForm({ key, ref, record }: Found, { optimized }: ExportRequest, world: World): Refusal | null {
  const driver = driverOf(world, ref.remote, record.pool)
  return optimized !== true || ABLE.includes(driver)
    ? null
    : {
        code: 'driver',
        reason: `${key} is in a pool of ${driver ?? 'an unknown driver'}, which has no form of its own for exports: leave "optimized" out`,
      }
}

/** An instance of its own is made of the snapshot. */
function refuseProject({ ref, key, record }: Found, { remotes }: World): Refusal | null {
  const reply = own(remotes, ref.remote)
  if (reply?.ok !== true) return null
  const rules = own(reply.inventory.projectRules, ref.project)
  const types = reply.inventory.instances.flatMap(({ project, type }) =>
    project === ref.project ? [type] : [],
  )
  const count = (wanted: string): number => types.filter((type) => type === wanted).length
  const there = { container: count('container'), 'virtual-machine': count('virtual-machine') }
  const why =
    refuseBackups(ref.project, rules) ??
    refuseRoom(ref.project, rules, there, record.type, '; an export needs an instance of its own for a while')
  return why === null ? null : { code: 'forbidden', reason: `${key} can't be exported: ${why}` }
}

function actionOf(
  { ref, key }: Found,
  snapshot: string,
  { request, now }: Requested<ExportRequest>,
): ExportAction {
  const { to: store, optimized = false, reason } = request
  const name = nameAt(now)
  return { kind: 'export', ref, snapshot, store, name, optimized, job: jobOf(key, name, 0), reason }
}

/** `20261122T030000Z`. */
const nameAt = (now: Date): string => now.toISOString().replace(/[-:]|\.\d+/g, '')

const entryOf = ({ store, snapshot, name, optimized, job }: ExportAction, now: Date): ExportWork => ({
  ...{ state: 'started', store, snapshot, name, job, attempts: 0, at: now.toISOString() },
  ...(optimized ? { optimized: true as const } : {}),
})
