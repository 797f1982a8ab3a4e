/**
 * The instances that use a custom volume: Incus restores it only while none of them runs. Those that run are stopped for it and
 * started again; what would make that unsafe refuses the restore before anything is done.
 */
import type { InstanceRecord } from '../../incus/inventory.ts'
import { type InstanceRef, instanceOf, subjectKey, volumeIn } from '../../incus/subject.ts'
import { kindIn, standsApart, subjectIn, workOfJob } from '../../ledger/work.ts'
import { own } from '../../own.ts'
import { type Found, isCopy } from '../../plan/find.ts'
import { operationOn } from '../../plan/operations.ts'
import type { Refusal } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import type { Requested } from '../kind.ts'
import { isLive, isPending } from '../life.ts'
import { RESTORE } from './entry.ts'
import { restoringOn } from './safety.ts'

const RUNS = ['Running', 'Ready']

/** So many are named in a mark. */
const MOST = 50

type Of = Pick<Found, 'ref' | 'record'>

/** Names of those that run, and of those that a restore which has failed left stopped. */
export function usersOf({ ref, record }: Of, world: World): string[] {
  const running = refsOf({ ref, record }).filter((user) => RUNS.includes(world.find(user)?.status ?? ''))
  const mark = record.unsealed === true ? null : restoringOn(record)
  const left = mark?.taken === true || mark?.writing === true ? mark.users : []
  return [...new Set([...running.map(({ instance }) => instance), ...left])].sort()
}

/** In the volume's project, or in another one that uses its volumes. */
const refsOf = ({ ref, record }: Of): InstanceRef[] =>
  (record.users ?? []).map((path) => {
    const slash = path.indexOf('/')
    return { remote: ref.remote, project: path.slice(0, slash), instance: path.slice(slash + 1) }
  })

/** Null: nothing is in the way, or it is no volume. */
export function refuseUsers(found: Found, requested: Requested): Refusal | null {
  if (volumeIn(found.ref.instance) === null) return null
  const { world } = requested
  const refs = refsOf(found)
  if (usersOf(found, world).length > MOST)
    return {
      code: 'forbidden',
      reason: `more than ${MOST} instances that run use ${found.key}: stop them first`,
    }
  for (const user of refs) {
    const refusal = refuseUser(user, found, requested)
    if (refusal !== null) return refusal
  }
  return null
}

function refuseUser(user: InstanceRef, { ref, key, record }: Found, requested: Requested): Refusal | null {
  const { world, found } = requested
  const name = subjectKey(user)
  const one = world.find(user)
  const forbid = (why: string): Refusal => ({ code: 'forbidden', reason: `${name} uses ${key}, and ${why}` })
  if (one === undefined || one.offline === true)
    return {
      code: 'unreadable',
      reason: `${name} uses ${key}, and it isn't known whether it runs: try again`,
    }
  if (user.project !== ref.project)
    return forbid(
      'it is in another project: detach the volume from it first, or stop it and restore the volume by hand',
    )
  if (isCopy(one))
    return forbid('it is a copy, which nothing starts or stops: detach the volume from it first')
  const why = whyNotStopped(one, record)
  if (why !== null) return forbid(why)
  const doing = found.busy.get(name) ?? whatRunsOn(user, world) ?? restoredBeside(user, key, requested)
  return doing === null
    ? null
    : {
        code: 'busy',
        reason: `${name} uses ${key}, and something is done to it (${doing}): try again when that has ended`,
      }
}

/** In words: it must not be started while another volume of it is being restored, also where that one did not stop it. */
function restoredBeside(user: InstanceRef, key: string, { world, found }: Requested): string | null {
  const path = `${user.project}/${user.instance}`
  const other = Object.entries(found.work).find(([work, entry]) => {
    const subject = kindIn(work) === RESTORE && entry !== null && isPending(entry) ? subjectIn(work) : key
    const uses = subject === key ? undefined : world.find(instanceOf(subject))?.users
    return instanceOf(subject).remote === user.remote && uses?.includes(path) === true
  })?.[0]
  return other === undefined ? null : `${subjectIn(other)}, which it uses, too, is being restored`
}

/** In words. */
function whatRunsOn(user: InstanceRef, world: World): string | null {
  const name = subjectKey(user)
  const reply = own(world.remotes, user.remote)
  const job = world.jobs.find((one) => isLive(one) && isOn(name, workOfJob(one.id)))
  return job === undefined
    ? operationOn(world, name, reply?.ok === true ? reply.inventory.operations : [])
    : `a ${kindIn(workOfJob(job.id) ?? '')} of it is ${job.state}`
}

const isOn = (key: string, work: string | null): boolean =>
  work !== null && !standsApart(work) && subjectIn(work) === key

function whyNotStopped({ status, location }: InstanceRecord, volume: InstanceRecord): string | null {
  if (status === 'Stopped') return null
  if (!RUNS.includes(status)) return `it is ${status}: let it run on, or stop it, and then ask again`
  return location === volume.location
    ? null
    : `it runs on the cluster member ${location}, and the volume is on ${volume.location}: stop it first`
}
