/**
 * A move of an instance or a custom volume to another server or project, by way of the copy: what is left to do, in order. stapes removes no instance that it
 * did not make, and its relay lets nobody, so a person removes the original; only once all that it has is verified elsewhere,
 * and it is known that the copy can be brought back there.
 */
import { isIn, newestPair } from '../../incus/pairs.ts'
import { type InstanceRef, nounOf, subjectKey, volumeIn } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { type CopyOf, copiesOf } from '../../plan/copies-of.ts'
import { type Found, findSubject, refuse } from '../../plan/find.ts'
import { onlyCopy } from '../../plan/holder.ts'
import { refuseOwner } from '../../plan/installation.ts'
import type { Note, Refusal } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import { OWNER } from '../../policy/marks.ts'
import { err, ok, type Result } from '../../result.ts'
import { deleteCommand, incusCommand } from '../../shell.ts'
import { refuseName, refuseServer } from '../goal.ts'
import type { Answer, Given, Requestable, Requested } from '../kind.ts'
import type { MoveRequest } from './action.ts'
import { refuseCheck } from './check.ts'
import { againstPool, againstVolume, type Wanted } from './place.ts'

export const requestMove: Requestable<MoveRequest> = {
  destructive: false,
  read: readMove,
  plan: planMove,
}

function readMove(
  { instance, remote, project, pool, from }: Given,
  reason: string,
): Result<MoveRequest, string> {
  return instance === undefined
    ? err('move needs "instance"')
    : ok({ do: 'move', instance, ...{ remote, project, pool, from }, reason })
}

type Known = { world: World; ledger: Pick<Ledger, 'work'> }
type Moving = { original: Found; to: InstanceRef; copy: CopyOf; newest: string; pool: string | null }

function planMove(requested: Requested<MoveRequest>): Answer | Refusal {
  const moving = movingOf(requested.request, requested)
  if (!moving.ok) return moving.error
  const refusal = refuseState(moving.value, requested) ?? refuseCheck(requested)
  return refusal ?? { notes: stepsOf(moving.value, requested) }
}

/** For the relay to judge: whether a snapshot of the copy could become an instance there. */
export function wantedOfMove(request: MoveRequest, known: Known): Result<Wanted, Refusal> {
  const moving = movingOf(request, known)
  if (!moving.ok) return moving
  const { original, to, copy, newest, pool } = moving.value
  const { ref: from, record } = copy
  return ok({ from, record, to, pool, snapshot: newest, of: original.key, whole: false, start: false })
}

function movingOf(request: MoveRequest, known: Known): Result<Moving, Refusal> {
  const { world } = known
  const found = findSubject(world, request.instance)
  if (!found.ok) return found.error.code === 'not-found' ? goneOr(request, known, found.error) : found
  const { ref, key, record } = found.value
  const to = {
    remote: request.remote ?? ref.remote,
    project: request.project ?? ref.project,
    instance: ref.instance,
  }
  if (subjectKey(to) === key)
    return refuse(
      'exists',
      `${key} is there: name another server by --remote, or another project by --project`,
    )
  const copies = copiesFrom(key, request, known)
  if (copies.some((copy) => copy.key === subjectKey(to)))
    return refuse(
      'exists',
      `${subjectKey(to)} is its copy, by which it moves: name another server by --remote, or another project by --project`,
    )
  const there = refuseServer(to, world) ?? refuseName(to, world)
  if (there !== null) return err(there)
  const one = onlyCopy(copies, key)
  if (one === null)
    return refuse(
      'not-found',
      `${key} has no copy, and it is moved by one: give a policy that covers it a "copy" on a backup server`,
    )
  if (!one.ok) return one
  const kept = againstPool(one.value, request)
  if (kept !== null) return refuse('forbidden', kept)
  const here =
    volumeIn(ref.instance) === null ? null : againstVolume({ from: one.value.ref, to, whole: true })
  if (here !== null) return refuse('forbidden', here)
  const newest = newestPair(one.value.verified)
  if (record.snapshots?.length === 0 || newest === null)
    return refuse('unverified', `no snapshot of ${key} is verified on ${one.value.ref.remote}: ${again(key)}`)
  return ok({ original: found.value, to, copy: one.value, newest: newest[0], pool: request.pool ?? null })
}

const copiesFrom = (path: string, { from }: MoveRequest, known: Known): CopyOf[] =>
  copiesOf(path, known).filter(({ ref }) => from === undefined || ref.remote === from)

/** Its last step, where the original has gone meanwhile. */
function goneOr(request: MoveRequest, known: Known, refusal: Refusal): Result<never, Refusal> {
  const [copy] = copiesFrom(request.instance, request, known)
  return copy === undefined
    ? err(refusal)
    : refuse('not-found', `${copy.of} is gone: ${bringBack(copy.of, request)} makes it of ${copy.key}`)
}

/** Why not everything that it is would be found again. */
function refuseState({ original, copy }: Moving, { found, installation }: Requested): Refusal | null {
  const { key, ref, record, snapshots } = original
  const busy = found.busy.get(key)
  if (busy !== undefined) return { code: 'busy', reason: `${key}: ${busy}; try again when that has ended` }
  const owner = refuseOwner(copy.record.own.includes(OWNER) ? copy.record.config[OWNER] : '', installation)
  if (owner !== null) return { code: 'not-ours', reason: owner.replace('<copy>', copy.ref.instance) }
  const [user] = record.users ?? []
  if (user !== undefined)
    return {
      code: 'forbidden',
      reason: `${ref.remote}/${user} uses ${key}: detach it there (a profile may attach it, too), ${again(key)}`,
    }
  if (volumeIn(ref.instance) === null && record.status !== 'Stopped')
    return {
      code: 'forbidden',
      reason: `${key} is ${record.status}: on ${ref.remote}, "${incusCommand(ref.project, 'stop', ref.instance)}" stops it; ${again(key)}`,
    }
  const lacking = snapshots.filter((pair) => !isIn(copy.verified, pair)).map(([name]) => name)
  return lacking.length === 0
    ? null
    : {
        code: 'unverified',
        reason: `${lacking.join(', ')} of ${key} would go with it: not verified on ${copy.ref.remote}. /backup copy ${key} sends what is newer than the copy; what it doesn’t, export it (/backup export), or remove it if nobody needs it (/backup expire)`,
      }
}

/** What is done again before the next try. */
const again = (key: string): string => `then "/backup now ${key}" and "/backup copy ${key}", and ask again`

function stepsOf(
  { original, to, copy, newest }: Moving,
  { request }: Pick<Requested<MoveRequest>, 'request'>,
): Note[] {
  const { key, ref, record, snapshots } = original
  const at = snapshots.find(([name]) => name === newest)?.[1] ?? 0
  const volumes = record.volumes ?? []
  const unprotect =
    record.protected === true
      ? ` after "${incusCommand(ref.project, 'config', 'unset', ref.instance, 'security.protection.delete')}"`
      : ''
  const reasons = [
    `1. All ${snapshots.length} snapshots of ${key} are verified on ${copy.key}, and ${subjectKey(to)} can be made of it. What has changed since ${newest} (${new Date(at * 1000).toISOString()}) is in none of them: if ${nounOf(ref) === 'volume' ? 'anything has written to it' : 'it ran'} since, ${again(key)}`,
    `2. stapes removes no ${nounOf(ref)} that it did not make. Whoever may: on ${ref.remote},${unprotect} "${deleteCommand(ref)}" removes ${key} with its ${nounOf(ref) === 'volume' ? 'data' : 'disk'} and these snapshots there: ${snapshots.map(([name]) => name).join(', ')}`,
    `3. Then ${bringBack(key, request)} makes ${subjectKey(to)} of the copy, with all of them, and its copies go on from there`,
    ...(volumes.length === 0
      ? []
      : [`its custom volumes don’t come along, and stay on ${ref.remote}: ${volumes.join(', ')}`]),
  ]
  return reasons.map((reason): Note => ({ kind: 'wait', about: key, reason }))
}

const bringBack = (key: string, { remote, project, pool, from }: MoveRequest): string => {
  const flags = Object.entries({ remote, project, pool, from }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  )
  return `"/backup bring-back ${[key, ...flags].join(' ')}"`
}
