/** Requests to check an export, also of an instance that is gone. */
import { instanceOf, subjectKey } from '../../incus/subject.ts'
import { refOf } from '../../plan/find.ts'
import type { Refusal } from '../../plan/plan.ts'
import { storesIn } from '../../plan/world.ts'
import { err, ok } from '../../result.ts'
import { minutesFrom } from '../../schedule/moment.ts'
import type { Answer, Requestable, Requested } from '../kind.ts'
import { isPending } from '../life.ts'
import type { CheckAction, CheckRequest } from './action.ts'
import { type CheckWork, checkIn, checkKey } from './entry.ts'
import { jobOf } from './steps.ts'

export const requestCheck: Requestable<CheckRequest> = {
  destructive: false,
  read: ({ instance, to, export: name }, reason) =>
    instance === undefined || to === undefined
      ? err('check needs "instance" and "to", the store')
      : ok({ ...{ do: 'check', instance, to, reason }, ...(name === undefined ? {} : { export: name }) }),
  plan: planRequested,
}

const NAME = /^\d{8}T\d{6}Z$/

function planRequested({ request, world, ledger, now }: Requested<CheckRequest>): Answer | Refusal {
  const found = refOf(world, request.instance)
  if (!found.ok) return found.error
  const key = subjectKey(found.value)
  const { to: store, export: name, reason } = request
  const stores = storesIn(world)
  if (!stores.includes(store))
    return {
      code: 'not-found',
      reason: `the relay has no store "${store}"; ${stores.length === 0 ? 'it has none' : `it has ${stores.join(', ')}`}: see "exports" in its configuration`,
    }
  if (name !== undefined && !NAME.test(name))
    return {
      code: 'not-found',
      reason: `"${name}" is no name of an export: /backup exports ${request.instance} lists them`,
    }
  const known = checkIn(ledger, key, store)
  if (known !== undefined && isPending(known))
    return {
      notes: [{ kind: 'wait', about: key, reason: `an export of it in ${store} is being checked` }],
    }
  const job = jobOf({ key, store }, now.toISOString(), 0)
  const action: CheckAction = { kind: 'check', ref: instanceOf(key), store, name: name ?? null, job, reason }
  const entry: CheckWork = {
    ...{ state: 'started', store, job, attempts: 0, at: now.toISOString() },
    ...(name === undefined ? {} : { name }),
  }
  return { actions: [action], work: { [checkKey(key, store)]: entry }, wake: [minutesFrom(now, 1)] }
}
