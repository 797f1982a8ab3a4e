/** Requests that a policy takes over what Incus's own schedule does: it alone takes snapshots of the instance then. */
import { volumeIn } from '../../incus/subject.ts'
import { own } from '../../own.ts'
import { readForm } from '../../own-schedule/form.ts'
import { type Found, findSubject } from '../../plan/find.ts'
import type { Note, Refusal } from '../../plan/plan.ts'
import { err, ok } from '../../result.ts'
import type { Answer, Requestable, Requested } from '../kind.ts'
import type { ScheduleAction, TakeOverRequest } from './action.ts'

export const requestTakeOver: Requestable<TakeOverRequest> = {
  destructive: false,
  read: ({ instance }, reason) =>
    instance === undefined ? err('take-over needs "instance"') : ok({ do: 'take-over', instance, reason }),
  plan: planRequested,
}

function planRequested(requested: Requested<TakeOverRequest>): Answer | Refusal {
  const { request, world, coverages, found } = requested
  const instance = findSubject(world, request.instance)
  if (!instance.ok) return instance.error
  const { key, ref, record } = instance.value
  const busy = found.busy.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  const { scheduled } = record
  if (scheduled === undefined)
    return { notes: [{ kind: 'keep', about: key, reason: 'Incus takes no snapshots of it by itself' }] }
  // As it holds for this instance, its own keys included.
  const policies = coverages.flatMap(({ covered }) =>
    covered.flatMap((one) =>
      one.key === key && !one.policy.paused && one.barred === null ? [one.policy] : [],
    ),
  )
  const names = policies.map(({ name }) => name)
  if (names.length === 0) return { code: 'not-found', reason: withoutPolicy(instance.value, requested) }
  const action: ScheduleAction = {
    kind: 'schedule',
    ref,
    // Of a custom volume Incus refuses `@never`; and it has no profile that could have another.
    config: { 'snapshots.schedule': volumeIn(ref.instance) === null ? '@never' : '' },
    was: scheduled.schedule,
    reason: `${whoTakes(names)} its snapshots; ${request.reason}`,
  }
  return { actions: [action], notes: [staying(instance.value)] }
}

/** `policy daily takes`, `policies hourly and daily take`. */
export const whoTakes = (names: readonly string[]): string =>
  names.length === 1 ? `policy ${names[0]} takes` : `policies ${names.join(' and ')} take`

function staying({ key, record: { scheduled } }: Found): Note {
  const expiry = scheduled?.expiry ?? ''
  const what =
    expiry === ''
      ? 'they have no expiry, so they stay until somebody removes them'
      : `Incus removes each when it said so as it took it (${expiry})`
  return { kind: 'keep', about: key, reason: `what Incus has taken of it stays: ${what}` }
}

/** What would have to stand in `stapes.jsonc`, which people write. */
function withoutPolicy({ key, ref, record }: Found, { world }: Requested<TakeOverRequest>): string {
  const { scheduled } = record
  const form = readForm(scheduled?.schedule ?? '')
  const parts = (scheduled?.schedule ?? '').split(', ').filter((part) => part.toLowerCase() !== '@startup')
  const volume = volumeIn(ref.instance)
  const policy = {
    select: {
      remotes: [ref.remote],
      projects: [ref.project],
      ...(volume === null ? { instances: [ref.instance] } : { volumes: [ref.instance] }),
    },
    schedule: form.dead.length > 0 || parts.length === 0 ? '@daily' : parts.join(', '),
    ...(scheduled?.expiry === '' ? { keep: { last: 14 } } : { expiry: scheduled?.expiry ?? '' }),
  }
  const name = ref.instance
    .toLowerCase()
    .replace(/[^a-z0-9-]/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 30)
  const text = `"${name || 'own'}": ${JSON.stringify(policy)}`
  const reply = own(world.remotes, ref.remote)
  const zone = reply?.ok === true ? reply.inventory.server.zone : undefined
  const clock =
    zone === undefined || zone === 0
      ? ''
      : `, with "timezone" as on that server (it is ${zone} minutes ahead of UTC now)`
  const start = form.startup ? '. No policy takes one at each start' : ''
  return `no active policy covers ${key}, so nothing would take its snapshots then. Put one under "policies" of stapes.jsonc and apply that first, such as ${text}${clock}${start}`
}
