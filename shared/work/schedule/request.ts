/** Requests to set Incus's own schedule of an instance, and what goes with it. */
import { knowsManualExpiry } from '../../incus/features.ts'
import { own } from '../../own.ts'
import { configOf, type OwnConfig } from '../../own-schedule/settings.ts'
import { type Found, findSubject } from '../../plan/find.ts'
import type { Note, Refusal } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import { isVolume } from '../../policy/volumes.ts'
import { err, ok } from '../../result.ts'
import type { Answer, Requestable, Requested } from '../kind.ts'
import type { ScheduleAction, SetScheduleRequest } from './action.ts'
import { whoTakes } from './take-over.ts'

export const requestSchedule: Requestable<SetScheduleRequest> = {
  destructive: false,
  read(given, reason) {
    if (given.instance === undefined) return err('schedule needs "instance"')
    const config = configOf(given)
    return config.ok ? ok({ do: 'schedule', instance: given.instance, config: config.value, reason }) : config
  },
  plan: planRequested,
}

function planRequested(requested: Requested<SetScheduleRequest>): Answer | Refusal {
  const { request, world, found } = requested
  const instance = findSubject(world, request.instance)
  if (!instance.ok) return instance.error
  const { key, ref, record } = instance.value
  const busy = found.busy.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  const { scheduled } = record
  const { config } = request
  if (Object.keys(config).length === 0)
    return { notes: [{ kind: 'keep', about: key, reason: describe(instance.value) }] }
  const refusal = refuseHere(instance.value, config, world)
  if (refusal !== null) return refusal
  const { reason } = request
  const action: ScheduleAction = { kind: 'schedule', ref, config, was: scheduled?.schedule ?? '', reason }
  return { actions: [action], notes: notesOf(instance.value, requested) }
}

function describe({ record: { scheduled } }: Found): string {
  if (scheduled === undefined) return 'Incus takes no snapshots of it by itself'
  const { schedule, expiry, pattern, stopped } = scheduled
  const parts = [
    `Incus takes snapshots of it by "${schedule}"`,
    ...(pattern === undefined ? [] : [`named by "${pattern}"`]),
    ...(stopped === true ? ['also while it stands still'] : []),
    expiry === '' ? 'which nothing removes' : `which it removes after ${expiry}`,
  ]
  return parts.join(', ')
}

function refuseHere({ key, ref, record }: Found, config: OwnConfig, world: World): Refusal | null {
  if (isVolume(record) && config['snapshots.schedule.stopped'] !== undefined)
    return { code: 'not-ours', reason: `${key} is a custom volume, which never stands still` }
  const odd = (config['snapshots.schedule'] ?? '')
    .split(', ')
    .find((part) => /^@(never|startup)$/i.test(part))
  if (isVolume(record) && odd !== undefined)
    return {
      code: 'not-ours',
      reason: `${key} is a custom volume, of which Incus takes no "${odd}": none ends its schedule`,
    }
  const reply = own(world.remotes, ref.remote)
  const version = reply?.ok === true ? reply.inventory.server.version : ''
  return config['snapshots.expiry.manual'] !== undefined && !knowsManualExpiry(version)
    ? {
        code: 'forbidden',
        reason: `Incus ${version} on ${ref.remote} has no snapshots.expiry.manual: its snapshots.expiry holds for those on request, too`,
      }
    : null
}

/** What it means beside the policies. */
function notesOf({ key, record }: Found, { request, coverages }: Requested<SetScheduleRequest>): Note[] {
  const { config } = request
  const schedule = config['snapshots.schedule'] ?? record.scheduled?.schedule ?? ''
  const expiry = config['snapshots.expiry'] ?? record.scheduled?.expiry ?? ''
  const covering = coverages.filter(({ covered }) => covered.some((one) => one.key === key))
  const names = covering.map(({ policy }) => policy.name)
  const isOff = schedule === '' || schedule.toLowerCase() === '@never'
  const note = (reason: string): Note => ({ kind: 'keep', about: key, reason })
  if (isOff)
    return names.length > 0
      ? []
      : [
          {
            kind: 'problem',
            about: key,
            reason: 'no policy covers it, so nothing takes snapshots of it then',
          },
        ]
  return [
    ...(names.length === 0
      ? []
      : [note(`${whoTakes(names)} snapshots of it as well, beside Incus's, which stay as they are`)]),
    ...(expiry === ''
      ? [
          note(
            'without an expiry nothing removes what Incus takes, until the pool is full: give it one, such as 7d',
          ),
        ]
      : []),
  ]
}
