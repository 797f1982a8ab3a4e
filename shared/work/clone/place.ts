/** From where a request takes a new instance's data, and where it goes; by what was observed. */
import type { InstanceRecord, SnapshotPair } from '../../incus/inventory.ts'
import { newestPair } from '../../incus/pairs.ts'
import { parseSnapshotName, SAFETY } from '../../incus/snapshot-name.ts'
import { type InstanceRef, instanceOf, subjectKey, volumeIn } from '../../incus/subject.ts'
import type { Ledger } from '../../ledger/ledger.ts'
import { type CopyOf, copiesOf } from '../../plan/copies-of.ts'
import { findSubject, instancesIn, isCopy, refuse } from '../../plan/find.ts'
import { holderOf, onlyCopy } from '../../plan/holder.ts'
import type { Refusal } from '../../plan/plan.ts'
import type { World } from '../../plan/world.ts'
import type { Coverage } from '../../policy/cover.ts'
import { MAKING } from '../../policy/marks.ts'
import { ok, type Result } from '../../result.ts'
import { incusCommand } from '../../shell.ts'
import { calledIn, refuseName, refuseServer } from '../goal.ts'
import type { BringBackRequest, CloneAction, CloneRequest } from './action.ts'

export type Wanted = Pick<CloneAction, 'from' | 'snapshot' | 'to' | 'whole' | 'start' | 'pool' | 'of'> & {
  record: InstanceRecord
}

type Known = { world: World; ledger: Pick<Ledger, 'work'> }

export function placeOf(request: CloneRequest | BringBackRequest, known: Known): Result<Wanted, Refusal> {
  const wanted = request.do === 'clone' ? besides(request, known) : back(request, known)
  if (!wanted.ok || volumeIn(wanted.value.from.instance) === null) return wanted
  const why = againstVolume(wanted.value)
  return why === null ? ok({ ...wanted.value, start: false, pool: null }) : refuse('forbidden', why)
}

export function againstVolume({ from, to, whole }: Pick<Wanted, 'from' | 'to' | 'whole'>): string | null {
  if (from.remote !== to.remote || !whole) return null
  const { pool = '', volume = '' } = volumeIn(from.instance) ?? {}
  const there = `${from.remote}:${pool}/${volume}`
  const command = incusCommand(
    from.project,
    'storage',
    'volume',
    'copy',
    there,
    `${to.remote}:${pool}/${volume}-restored`,
  )
  return `all of a custom volume is brought back only from another server. Where the copy is on the same one: ${command}`
}

function besides(request: CloneRequest, known: Known): Result<Wanted, Refusal> {
  const { snapshot, as } = request
  const holder = holderOf(request, known)
  if (!holder.ok) return holder
  const { ref, record, of } = holder.value
  return ok({
    ...{ from: ref, snapshot, of, record, whole: false },
    ...goalOf(request, instanceOf(of), as),
  })
}

/** Why a volume that comes back, or moves, can't change its pool. */
export function againstPool(
  { of, ref }: Pick<CopyOf, 'of' | 'ref'>,
  { pool }: Pick<BringBackRequest, 'pool'>,
): string | null {
  const own = volumeIn(instanceOf(of).instance)
  return own === null || pool === undefined || pool === own.pool
    ? null
    : `${of} is brought back into the pool that is in its name, for its copies go by that: leave --pool out, or /backup clone ${of} <snapshot> --as=<name> --from=${ref.remote} --pool=${pool} makes a new volume there`
}

function back(request: BringBackRequest, known: Known): Result<Wanted, Refusal> {
  const { instance, from } = request
  const copies = copiesOf(instance, known).filter(({ ref }) => from === undefined || ref.remote === from)
  const one = onlyCopy(copies, instance)
  if (one !== null && !one.ok) return one
  if (one === null) {
    const found = findSubject(known.world, instance)
    if (!found.ok && found.error.code !== 'not-found') return found
    const key = found.ok ? found.value.key : `"${instance}"`
    return refuse(
      'not-found',
      `there is no copy of ${key}: GET /api/instances lists the copies that there are`,
    )
  }
  const { value: copy } = one
  const kept = againstPool(copy, request)
  if (kept !== null) return refuse('forbidden', kept)
  const newest = newestPair(copy.verified.filter(isCurrent)) ?? newestPair(copy.verified)
  if (newest === null)
    return refuse('unverified', `no snapshot of ${copy.key} is verified, so it may hold no data`)
  return ok(fromCopy(copy, newest[0], request, instanceOf(copy.of).instance, true))
}

/** One that was taken before a restore holds what somebody did not want. */
const isCurrent = ([name]: SnapshotPair): boolean => {
  const policy = parseSnapshotName(name)?.policy
  return policy !== undefined && policy !== SAFETY
}

const fromCopy = (
  { ref, record, of }: CopyOf,
  snapshot: string,
  request: CloneRequest | BringBackRequest,
  name: string,
  whole: boolean,
): Wanted => ({ from: ref, snapshot, of, record, whole, ...goalOf(request, instanceOf(of), name) })

const goalOf = (
  { remote, project, pool, start = false }: CloneRequest | BringBackRequest,
  home: InstanceRef,
  instance: string,
): Pick<Wanted, 'to' | 'start' | 'pool'> => ({
  to: {
    remote: remote ?? home.remote,
    project: project ?? home.project,
    instance: calledIn(home, instance, pool),
  },
  start,
  pool: pool ?? null,
})

const REVERSED = { pull: 'push', push: 'pull', relay: 'relay' } as const

/** The servers reach each other as for the copies: who fetched them can push now, and the other way round. */
export function transferModeOf(
  { from, to }: Pick<Wanted, 'from' | 'to'>,
  coverages: readonly Coverage[],
): CloneAction['transferMode'] {
  const all = coverages.flatMap(({ policy }) => (policy.copy === null ? [] : [policy.copy]))
  const there = all.find(({ remote }) => remote === to.remote)
  const back = all.find(({ remote }) => remote === from.remote)
  if (there !== undefined) return there.transferMode
  return REVERSED[back?.transferMode ?? 'push']
}

/** Why it can't go there, by what was observed. */
export function refusePlace({ from, to, of, whole }: Wanted, world: World): Refusal | null {
  const there = refuseServer(to, world)
  if (there !== null) return there
  const key = subjectKey(to)
  if (whole && of !== key && world.find(instanceOf(of)) !== undefined)
    return {
      code: 'exists',
      reason: `${of} exists, and the copy follows it: /backup clone ${of} <snapshot> --as=<name> --from=${from.remote} makes a new instance beside it`,
    }
  const record = world.find(to)
  const isTaken = record !== undefined && !record.own.includes(MAKING)
  if (isTaken && isCopy(record) && subjectKey(from) === key)
    return { code: 'exists', reason: `${key} is the copy itself` }
  if (isTaken && whole)
    return {
      code: 'exists',
      reason: `${key} exists: restore it in place (/backup list ${of} shows its snapshots), or rename it first`,
    }
  const [user] = whole ? usersAt(to, world) : []
  if (user !== undefined)
    return {
      code: 'forbidden',
      reason: `${user} has ${key} attached, and Incus restores none that is: detach it there first, and attach it again once it is back`,
    }
  return refuseName(to, world)
}

/** Keys of the instances that name a custom volume, though it may be gone. */
function usersAt(to: InstanceRef, world: World): string[] {
  const place = volumeIn(to.instance)
  if (place === null) return []
  return instancesIn(world)
    .filter(
      ({ ref, record }) =>
        ref.remote === to.remote &&
        ref.project === to.project &&
        record.volumes?.includes(`${place.pool}/${place.volume}`) === true,
    )
    .map(({ key }) => key)
}
