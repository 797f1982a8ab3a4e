/** Requests to hold, release or remove one export, and to take a removal back; also of an instance that is gone. */
import { type InstanceRef, subjectKey } from '../../incus/subject.ts'
import { placeOf } from '../../ledger/work.ts'
import { refOf } from '../../plan/find.ts'
import { GRACE, parseGrace } from '../../plan/grace.ts'
import type { Refusal } from '../../plan/plan.ts'
import { storesIn } from '../../plan/world.ts'
import { storeIn } from '../../policy/locks.ts'
import { holdsOf } from '../../policy/marks.ts'
import { err, ok, type Result } from '../../result.ts'
import type { ExportRow } from '../export/manifest.ts'
import type { Answer, Given, Requestable, Requested } from '../kind.ts'
import type {
  HoldExportAction,
  HoldExportRequest,
  ReleaseExportRequest,
  RemovalRequest,
  RemoveExportAction,
  RemoveExportRequest,
  UndoExportRequest,
} from './action.ts'
import { type RemovalWork, removalKey } from './entry.ts'

type One = Pick<RemovalRequest, 'instance' | 'from' | 'export'>

function oneOf(what: string, { instance, from, export: name }: Given): Result<One, string> {
  return instance === undefined || from === undefined || name === undefined
    ? err(`${what} needs "instance", "from", the store, and "export"`)
    : ok({ instance, from, export: name })
}

export const requestHoldExport: Requestable<HoldExportRequest> = {
  destructive: false,
  read(given, reason) {
    const one = oneOf('hold-export', given)
    return one.ok ? ok({ do: 'hold-export', ...one.value, note: given.note ?? reason, reason }) : one
  },
  plan: planRequested,
}

export const requestReleaseExport: Requestable<ReleaseExportRequest> = {
  destructive: false,
  read(given, reason) {
    const one = oneOf('release-export', given)
    return one.ok ? ok({ do: 'release-export', ...one.value, reason }) : one
  },
  plan: planRequested,
}

export const requestUndoExport: Requestable<UndoExportRequest> = {
  destructive: false,
  read(given, reason) {
    const one = oneOf('undo-export', given)
    return one.ok ? ok({ do: 'undo-export', ...one.value, reason }) : one
  },
  plan: planRequested,
}

export const requestRemoveExport: Requestable<RemoveExportRequest> = {
  destructive: true,
  read(given, reason) {
    const one = oneOf('remove-export', given)
    const grace = given.grace === undefined ? ok(GRACE) : parseGrace(given.grace)
    if (!one.ok || !grace.ok) return one.ok ? (grace as Result<never, string>) : one
    return ok({
      ...{ do: 'remove-export', ...one.value, grace: grace.value, reason },
      ...(given.last === true ? { last: true as const } : {}),
    })
  },
  plan: planRequested,
}

const NAME = /^\d{8}T\d{6}Z$/

type Wanted = { ref: InstanceRef; row: ExportRow; newest: boolean }

function planRequested(requested: Requested<RemovalRequest>): Answer | Refusal {
  const found = wantedBy(requested)
  if (!found.ok) return found.error
  const { request, now } = requested
  const { ref, row } = found.value
  const { store, name, snapshot, held, why, going } = row
  const of = { ref, store, name, snapshot: snapshot.name, reason: request.reason }
  const key = subjectKey(ref)
  const said = (reason: string): Answer => ({
    notes: [{ kind: 'keep', about: key, snapshot: `${store}:${name}`, reason }],
  })
  const forgotten = { [removalKey(key, row)]: null }
  switch (request.do) {
    case 'hold-export':
      return why === undefined
        ? {
            actions: [holding(of, noteOf(request.note), going !== undefined)],
            work: forgotten,
          }
        : said(`it is already held: ${why}`)
    case 'release-export':
      if (why === undefined && held === true) return { code: 'not-ours', reason: byStore(key, row) }
      return why === undefined ? said('it is not held') : { actions: [holding(of, null, false)] }
    case 'undo-export':
      return going === undefined
        ? said('nobody has it removed, so there is nothing to take back')
        : { actions: [{ kind: 'undo-export', ...of }], work: forgotten }
    case 'remove-export': {
      const refusal = refuseRemoval(found.value, requested as Requested<RemoveExportRequest>)
      if (refusal !== null) return refusal
      const grace = request.last === true ? Math.max(request.grace, DAY) : request.grace
      const end = new Date(now.getTime() + grace * 1000).toISOString()
      const last = request.last === true && found.value.newest
      const action: RemoveExportAction = { kind: 'remove-export', ...of, end, last }
      const entry: RemovalWork = {
        ...{ state: 'started', store, name, snapshot: snapshot.name, refused: 0, attempts: 0 },
        ...{ retryAt: end, at: now.toISOString() },
      }
      return {
        actions: [action],
        work: { [removalKey(key, row)]: entry },
        wake: [end],
      }
    }
  }
}

const holding = (
  of: Omit<HoldExportAction, 'kind' | 'note' | 'going'>,
  note: string | null,
  going: boolean,
): HoldExportAction => ({ kind: 'hold-export', ...of, note, going })

/** Seconds: so long the removal of the newest whole one can be taken back at least. */
const DAY = 86_400

/** The relay takes no empty one. */
const noteOf = (note: string): string => (note.trim() === '' ? 'held' : note)

const byStore = (key: string, { store, name }: ExportRow): string =>
  `${name} of ${key} is held in ${store} itself, by a legal hold or a file ${name}.hold: whoever did that releases it there`

function wantedBy({ request, world }: Requested<RemovalRequest>): Result<Wanted, Refusal> {
  const refuse = (code: Refusal['code'], reason: string) => err({ code, reason })
  const { from: store, export: name } = request
  const stores = storesIn(world)
  const found = refOf(world, request.instance)
  if (!found.ok) return found
  if (!stores.includes(store))
    return refuse(
      'not-found',
      `the relay has no store "${store}"; ${stores.length === 0 ? 'it has none' : `it has ${stores.join(', ')}`}: see "exports" in its configuration`,
    )
  const key = subjectKey(found.value)
  const list = `/backup exports ${request.instance} lists them`
  if (!NAME.test(name)) return refuse('not-found', `"${name}" is no name of an export: ${list}`)
  const survey = world.surveys?.get(placeOf(key, store))
  if (survey == null) return refuse('unreadable', `what ${store} has of ${key} could not be read; try again`)
  const row = survey.rows.find((one) => one.name === name)
  if (row === undefined) return refuse('not-found', `${store} has no export ${name} of ${key}: ${list}`)
  const [newest] = survey.rows
    .filter((one) => one === row || one.going === undefined)
    .map((one) => one.name)
    .toSorted()
    .toReversed()
  return ok({ ref: found.value, row, newest: newest === name })
}

/** The relay judges it once more, by what it knows of what is whole. */
function refuseRemoval(
  { ref, row, newest }: Wanted,
  { request, world }: Requested<RemoveExportRequest>,
): Refusal | null {
  const key = subjectKey(ref)
  const { store, name, held, why, snapshot } = row
  if (why !== undefined)
    return {
      code: 'forbidden',
      reason: `${name} of ${key} is held: ${why}; release it first (release-export)`,
    }
  if (held === true) return { code: 'forbidden', reason: byStore(key, row) }
  const record = world.find(ref)
  if (record !== undefined && holdsOf(record).has(snapshot.name))
    return {
      code: 'forbidden',
      reason: `${snapshot.name} of ${key} is held, and its exports with it: release it first`,
    }
  if (!newest) return null
  if (request.last !== true)
    return {
      code: 'forbidden',
      reason: `${name} is the newest export of ${key} in ${store}: to have it removed all the same, say so by "last" (--last)`,
    }
  return storeIn(world.remotes, store)?.removeLast === true
    ? null
    : {
        code: 'forbidden',
        reason: `${name} is the newest export of ${key} in ${store}, and the relay removes none such from there: "removeLast": true for ${store} in its configuration allows it`,
      }
}
