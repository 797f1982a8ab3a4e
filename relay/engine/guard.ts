/**
 * Deleting and restoring could lose everything, so the relay checks first, whoever the caller is. It deletes an
 * instance only if that is a copy whose own mark says that it was never verified, or if it has made it itself, for an
 * export or from a snapshot and not finished it. It deletes a snapshot only
 * if stapes named it or if it is on a copy, and never a copy's newest verified one. It restores an instance
 * only if that is marked for it and has a safety snapshot, and only to a snapshot that lasts, with memory
 * only if that holds some. It has an instance stand still only if that has the relay's own
 * mark, thaws one only if it is frozen and no operation runs on it, or by that mark, and shuts one down only for the restore of a
 * volume that it uses. It changes
 * a copy's mark of a transfer only while no operation runs on the copy: such a change would lift Incus's
 * lock. Incus has no lock for a volume, so it deletes one only while nobody uses it and nothing runs on it. It runs a command
 * only if its own configuration has that for the instance.
 */

import { newestPair } from '../../shared/incus/pairs.ts'
import type { Match } from '../../shared/incus/routes.ts'
import { parseSnapshotName } from '../../shared/incus/snapshot-name.ts'
import { bucketIn, type InstanceRef, nounOf, subjectKey, volumeIn } from '../../shared/incus/subject.ts'
import { RESTORING, withoutOwnCopy } from '../../shared/policy/marks.ts'
import type { CallError } from '../../shared/relay/protocol.ts'
import { err, ok, type Result } from '../../shared/result.ts'
import type { Making } from '../../shared/work/clone/mark.ts'
import { badReply, call } from './call.ts'
import { isObject, text } from './envelope.ts'
import { againstBucketMaking, againstMaking, againstVolumeMaking } from './guard-clone.ts'
import { againstDelete, againstRunning, againstTransfer, isAttached, transferOwner } from './guard-copy.ts'
import { againstExec, againstOutput } from './guard-exec.ts'
import { againstBeginning, againstRestore, beginningOf, restoredBy } from './guard-restore.ts'
import { againstStop, isStop } from './guard-stop.ts'
import { againstPause, againstThaw, isPause, isThaw } from './guard-thaw.ts'
import type { Hooks } from './hooks.ts'
import type { Journal } from './journal.ts'
import { makingOn } from './making.ts'
import { isPausedByRelay } from './pause-mark.ts'
import type { Seal } from './seal.ts'
import type { Sightings } from './sightings.ts'
import {
  deletesSnapshot,
  deletesSubject,
  marksSubject,
  restoresSubject,
  subjectNameIn,
  subjectRequest,
} from './subject-requests.ts'
import { isTemporary } from './temporary.ts'
import type { Upstream } from './upstream.ts'

/** Whether the relay has to check such a call first. */
export const isGuarded = (match: Match): boolean =>
  deletesSubject(match) ||
  restoresSubject(match) ||
  match.name === 'startInstance' ||
  match.name === 'execInstance' ||
  match.name === 'deleteExecOutput' ||
  match.name === 'deleteBucketBackup' ||
  marksSubject(match) ||
  (deletesSnapshot(match) && parseSnapshotName(match.parameters.snapshot ?? '') === null)

/** What the relay has seen, and its time in milliseconds since the epoch. */
export type Seen = {
  journal: Pick<Journal, 'verified' | 'temporaries' | 'resumed'>
  serverOf: Sightings['serverOf']
  seal: Seal
  hooks: Pick<Hooks, 'of'>
  now: number
}

/** A call of `match` onto `remote`; `body` is one that the route accepts. */
type GuardedCall = { upstream: Upstream; remote: string; match: Match; body: unknown }

/** Null: the call may be made. */
type Why = Result<string | null, CallError>

export async function guard(
  upstream: Upstream,
  remote: string,
  match: Match,
  body: unknown,
  seen: Seen,
): Promise<Result<null, CallError>> {
  const beginning = beginningOf(match, body)
  const why =
    beginning === null
      ? await against({ upstream, remote, match, body }, seen)
      : await againstBeginning(upstream, remote, match, beginning, seen.now)
  if (!why.ok) return why
  const wanted = beginning?.snapshot ?? restoredBy(body)
  return why.value === null ? ok(null) : err(refused(remote, match, wanted, why.value))
}

async function against(call: GuardedCall, { journal, serverOf, seal, hooks, now }: Seen): Promise<Why> {
  const { upstream, remote, match, body } = call
  const { name, parameters, query } = match
  const ref = { remote, project: query.project ?? 'default', instance: subjectNameIn(match) }
  const newest = newestPair(journal.verified(subjectKey(ref)))
  if (deletesSnapshot(match) && newest !== null && newest[0] === parameters.snapshot)
    return ok('it is the newest verified snapshot of a copy')
  if (!isGuarded(match) || isHarmless(match, body)) return ok(null)
  if (name === 'deleteExecOutput') return ok(againstOutput(match))
  if (name === 'deleteBucketBackup')
    return ok(OF_EXPORT.test(parameters.backup ?? '') ? null : 'stapes did not name it')
  const read = await readSubject(call, ref, serverOf(remote))
  if (!read.ok) return read.error.status === 404 ? ok(null) : read
  const { instance, config } = read.value
  if (volumeIn(ref.instance) !== null)
    return againstOnVolume(call, read.value, {
      remembered: newest !== null,
      making: makingOn(ref, config, seal),
      isOurs: isTemporary(ref, config, { seal, journal }),
      ...{ ref, seal, now },
    })
  const making = makingOn(ref, config, seal)
  if (bucketIn(ref.instance) !== null) {
    const why = againstBucketMaking(making, config, now)
    return why === null ? againstRunning(upstream, remote, match) : ok(why)
  }
  if (making !== null && name !== 'startInstance' && name !== 'markInstance')
    return ok(againstMaking(name, instance, making, restoredBy(body)))
  switch (name) {
    case 'startInstance': {
      if (isStop(body)) return againstStop({ upstream, seal }, ref, instance)
      const isOurs = isPausedByRelay(ref, config, { seal, journal })
      if (isPause(body)) return ok(againstPause(instance, isOurs))
      return againstThaw(upstream, remote, match, instance, isOurs)
    }
    case 'execInstance':
      return ok(againstExec(ref, config, body, { seal, journal, hooks }))
    case 'markInstance':
      return againstTransfer(upstream, remote, match, config, body)
    case 'restoreInstance':
      return againstRestore(upstream, remote, match, config, body, now)
    default:
      if (name === 'deleteInstance' && isTemporary(ref, config, { seal, journal })) return ok(null)
      return ok(againstDelete(config, deletesSnapshot(match), newest !== null))
  }
}

/** As the relay names backups of buckets. */
const OF_EXPORT = /^stapes-export-[0-9a-f]{24}$/

/** `remembered`: it was seen with a verified snapshot. `isOurs`: the relay made it for an export. */
type OnVolume = { remembered: boolean; making: Making | null; isOurs: boolean; ref: InstanceRef } & Pick<
  Seen,
  'seal' | 'now'
>

async function againstOnVolume(
  { upstream, remote, match, body }: GuardedCall,
  { instance, config }: Subject,
  { remembered, making, isOurs, ref, seal, now }: OnVolume,
): Promise<Why> {
  if (making !== null && (restoresSubject(match) || deletesSnapshot(match)))
    return ok(againstVolumeMaking(match, instance, making, restoredBy(body)))
  if (match.name === 'restoreVolume') {
    const isMarked = seal.isOn(ref, text(config[RESTORING]))
    return isMarked
      ? againstRestore(upstream, remote, match, config, body, now)
      : ok('it has no mark of this relay')
  }
  if (marksSubject(match)) return againstTransfer(upstream, remote, match, config, body)
  if (match.name === 'deleteVolume' && (making !== null || isOurs)) {
    if (making?.made === true) return ok('it is whole')
    return isAttached(instance) ? ok('it is attached') : againstRunning(upstream, remote, match)
  }
  const why = againstDelete(config, deletesSnapshot(match), remembered)
  if (why !== null || deletesSnapshot(match)) return ok(why)
  return isAttached(instance) ? ok('it is attached') : againstRunning(upstream, remote, match)
}

/** Most changes of marks touch no transfer mark, and most changes of state are no thaw. */
const isHarmless = (match: Match, body: unknown): boolean =>
  (marksSubject(match) && transferOwner(body) === null) ||
  (match.name === 'startInstance' && !isThaw(body) && !isPause(body) && !isStop(body))

/** `config`: its own, without its profiles'. */
type Subject = { instance: Record<string, unknown>; config: Record<string, unknown> }

async function readSubject(
  { upstream, remote }: GuardedCall,
  ref: InstanceRef,
  server: string | null,
): Promise<Result<Subject, CallError>> {
  const one = await call(upstream, remote, subjectRequest(ref))
  if (!one.ok) return one
  const instance = one.value.envelope.metadata
  return isObject(instance) && isObject(instance.config)
    ? ok({
        instance,
        config: withoutOwnCopy({ key: subjectKey(ref), server }, instance.config),
      })
    : err(badReply(remote, one.value.status, `the ${nounOf(ref)} ${ref.instance} has no config in it`))
}

/** `wanted`: the snapshot that it would be restored to. */
const refused = (remote: string, match: Match, wanted: string, why: string): CallError => ({
  code: 'not-allowed',
  message: `the relay does not ${wordsOf(match, wanted)} on "${remote}": ${why}`,
})

function wordsOf({ name, parameters }: Match, wanted: string): string {
  const { volume, bucket, instance = volume ?? bucket, snapshot } = parameters
  if (name === 'deleteBucketBackup') return `delete the backup ${parameters.backup} of ${bucket}`
  if (name === 'execInstance') return `run a command in ${instance}`
  if (name === 'deleteExecOutput') return `delete ${parameters.file} of ${instance}`
  if (name === 'startInstance') return `pause, thaw or stop ${instance}`
  if ((name === 'markInstance' || name === 'markVolume') && wanted === '') return `mark ${instance}`
  if (name === 'restoreInstance' || name === 'restoreVolume' || wanted !== '')
    return `restore ${instance} to ${wanted}`
  return `delete ${snapshot === undefined ? instance : `${snapshot} of ${instance}`}`
}
