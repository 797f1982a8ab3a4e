/** Requests to import an export: whether that can be done now, and its plan. */
import type { CopyGiven } from '../../incus/given.ts'
import { subjectKey } from '../../incus/subject.ts'
import { workKey } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import type { Note, Refusal } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import type { ImportCheck } from '../../relay/steps.ts'
import { err, ok, type Result } from '../../result.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import { Secret } from '../../secret.ts'
import { refuseName, refuseServer } from '../goal.ts'
import type { Answer, Given, Requestable, Requested } from '../kind.ts'
import { isEnded } from '../making.ts'
import type { ImportAction, ImportRequest } from './action.ts'
import { IMPORT, type ImportWork } from './entry.ts'
import { type Goal, goalOf, refuseKind, refuseStore } from './goal.ts'
import { jobOf } from './steps.ts'

export const requestImport: Requestable<ImportRequest> = {
  destructive: false,
  read: readImport,
  plan: planRequested,
}

function readImport(given: Given, reason: string): Result<ImportRequest, string> {
  const { instance, from, as, export: name, remote, project, pool, start, key } = given
  const more = givenIn(given)
  if (instance === undefined || from === undefined || as === undefined)
    return err('import needs "instance", "from", the store, and "as", the name of the new instance')
  return ok({
    ...{ do: 'import', instance, from, as, export: name, remote, project, pool, start, reason },
    ...(more === undefined ? {} : { given: more }),
    ...(key === undefined ? {} : { key: new Secret(key) }),
  })
}

/** Undefined: nothing. */
function givenIn({ profiles, config, devices }: Given): CopyGiven | undefined {
  const given: CopyGiven = {
    ...(profiles === undefined ? {} : { profiles: [...profiles] }),
    ...(config === undefined ? {} : { config }),
    ...(devices === undefined ? {} : { devices }),
  }
  return Object.keys(given).length === 0 ? undefined : given
}

const NAME = /^\d{8}T\d{6}Z$/

function planRequested(requested: Requested<ImportRequest>): Answer | Refusal {
  const { request, world, now, found } = requested
  const goal = goalOf(request, world)
  if (!goal.ok) return goal.error
  const wanted = goal.value
  const key = subjectKey(wanted.to)
  const unfinished = own(found.work, workKey(IMPORT, key)) as ImportWork | null | undefined
  if (unfinished != null && !isEnded(unfinished)) return underWay(key, unfinished, wanted)
  const checked = refuseGoal(requested, wanted) ?? checkOf(world)
  if ('code' in checked) return checked
  const action = actionOf(wanted, checked.name, requested)
  return {
    actions: [action],
    notes: checked.warnings.map((reason): Note => ({ kind: 'skip', about: key, reason })),
    work: { [workKey(IMPORT, key)]: entryOf(action, checked.encrypted, now) },
    wake: [minutesFrom(now, 1)],
  }
}

function underWay(key: string, { name, of, store }: ImportWork, wanted: Goal): Answer | Refusal {
  const reason = `${key} is being imported from ${name} of ${of} in ${store}`
  return (wanted.name ?? name) === name && of === subjectKey(wanted.of) && store === wanted.store
    ? { notes: [{ kind: 'wait', about: key, reason: 'it is already being imported from there' }] }
    : { code: 'busy', reason: `${reason}: choose another name, or wait` }
}

function refuseGoal({ request, world, found }: Requested<ImportRequest>, goal: Goal): Refusal | null {
  const { to, name } = goal
  if (name !== null && !NAME.test(name))
    return {
      code: 'not-found',
      reason: `"${name}" is no name of an export: /backup exports ${request.instance} lists them`,
    }
  const refusal =
    refuseStore(request, world) ?? refuseKind(goal) ?? refuseServer(to, world) ?? refuseName(to, world)
  if (refusal !== null) return refusal
  const busy = found.busy.get(subjectKey(to))
  return busy === undefined
    ? null
    : { code: 'busy', reason: `${subjectKey(to)}: ${busy}; try again when that has ended` }
}

type Checked = NonNullable<ImportCheck['export']> & { warnings: string[] }

function checkOf({ importCheck }: Pick<World, 'importCheck'>): Checked | Refusal {
  if (importCheck === undefined || 'error' in importCheck)
    return {
      code: 'unreadable',
      reason: `it could not be checked${importCheck === undefined ? '' : `: ${importCheck.error}`}; try again`,
    }
  const { refusal, warnings, export: one } = importCheck
  return refusal !== null || one === null
    ? { code: 'forbidden', reason: refusal ?? 'there is no such export' }
    : { ...one, warnings }
}

function actionOf(
  { of, store, to, start, pool, given, key }: Goal,
  name: string,
  { now, request }: Requested,
): ImportAction {
  const job = jobOf(subjectKey(to), now.toISOString(), 0)
  const more = given === undefined ? {} : { given }
  return { kind: 'import', of, store, name, to, start, pool, ...more, key, job, reason: request.reason }
}

const entryOf = (
  { of, store, name, start, pool, given, job }: ImportAction,
  encrypted: boolean,
  now: Date,
): ImportWork => ({
  ...{ state: 'started', of: subjectKey(of), store, name, start },
  ...(pool === null ? {} : { pool }),
  ...(given === undefined ? {} : { given }),
  ...(encrypted ? { encrypted } : {}),
  ...{ began: now.toISOString(), job, attempts: 0, at: now.toISOString() },
})
