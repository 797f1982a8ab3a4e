/** Requests to export an instance, a custom volume or a bucket: whether that is possible now, and its plan. */
import { placeOf } from '../../ledger/work.ts'
import { type Found, findSubject, missing } from '../../plan/find.ts'
import type { Note, Refusal } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import { isBucket, plainText } from '../../policy/buckets.ts'
import { storeIn } from '../../policy/locks.ts'
import { err, ok, type Result } from '../../result.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import type { Answer, Requestable, Requested } from '../kind.ts'
import { refuseEvidence } from '../restore/evidence.ts'
import type { ExportRequest } from './action.ts'
import { actionOf, entryOf, nameAt, newestComplete, refuseExport } from './begin.ts'
import { type ExportWork, exportKey } from './entry.ts'
import { knownExports } from './known.ts'
import { LIVE } from './manifest.ts'

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
  const instance = findSubject(world, request.instance)
  if (!instance.ok) return instance.error
  const { key } = instance.value
  const { to: store, optimized = false, reason } = request
  const here = placeOf(key, store)
  const running = knownExports(world, ledger, now).find(({ place }) => place === here)?.entry
  const snapshot = snapshotOf(instance.value, requested)
  if (running !== undefined) return underWay(key, running)
  const refusal = refuseExport(instance.value, request, world) ?? (snapshot.ok ? null : snapshot.error)
  if (refusal !== null) return refusal
  const busy = found.busy.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  const wanted = { store, optimized, name: nameAt(now), reason }
  const of = snapshot.ok ? snapshot.value : ''
  const action = actionOf(instance.value, of, wanted, requested.installation)
  return {
    actions: [action],
    notes: plainKeysOf(instance.value, store, world),
    work: { [exportKey(key, store)]: entryOf(action, now) },
    wake: [minutesFrom(now, 1)],
  }
}

/** Who reads the store gets at the bucket. */
const plainKeysOf = ({ key, record }: Found, store: string, { remotes }: World): Note[] =>
  isBucket(record) && storeIn(remotes, store)?.encrypted !== true
    ? [{ kind: 'skip', about: key, reason: `it is exported ${plainText(store)}` }]
    : []

function underWay(key: string, { store, snapshot, name }: ExportWork): Answer {
  const reason = `${snapshot === LIVE ? 'it' : snapshot} is being exported to ${store} as ${name}`
  return { notes: [{ kind: 'wait', about: key, snapshot, reason }] }
}

/** The one that is named, or the newest; one that isn't known to be complete is no good. */
function snapshotOf(found: Found, requested: Requested<ExportRequest>): Result<string, Refusal> {
  const { snapshot } = requested.request
  if (snapshot !== undefined && isBucket(found.record))
    return err({
      code: 'forbidden',
      reason: `${found.key} is a bucket, which has no snapshots: name none, and it is exported as it is`,
    })
  if (snapshot !== undefined) {
    const refusal = missing(found, snapshot) ?? refuseEvidence(found, snapshot, requested)
    return refusal === null ? ok(snapshot) : err(refusal)
  }
  const newest = newestComplete(found, requested)
  return newest === null
    ? err({
        code: 'not-found',
        reason: `${found.key} has no snapshot that is known to be complete, and an export is made of one: /backup now takes one`,
      })
    : ok(newest[0])
}
