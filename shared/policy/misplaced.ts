/**
 * Instances with a copy's marks in another place than the copy's: somebody renamed or moved it, or uses it now. stapes
 * skips copies, and so would never back up such an instance. One that was copied back onto its source's own server is none.
 */

import type { InstanceRecord } from '../incus/inventory.ts'
import { type InstanceRef, instanceOf, subjectKey, volumeIn } from '../incus/subject.ts'
import { own } from '../own.ts'
import type { RemoteReply } from '../relay/protocol.ts'
import { configCommand, named, shellWord } from '../shell.ts'
import {
  HOLD,
  isMark,
  isTrue,
  PREFIX,
  REPLICA_OF,
  REPLICA_SERVER,
  RESTORED,
  RESTORING,
  VERIFIED,
} from './marks.ts'
import { targetOf } from './places.ts'
import type { Policy } from './policy.ts'
import { mayReach } from './select.ts'
import { isVolume, usersText, volumesBy } from './volumes.ts'

type Problem = { about: string; reason: string }

/** `of`: the key of the source that the mark names. Whether that exists doesn't matter: a copy outlives it. */
export function fitsPlace(place: InstanceRef, of: string, policies: readonly Policy[]): boolean {
  const source = instanceOf(of)
  const key = subjectKey(place)
  return (
    of !== key &&
    policies.some(
      ({ select, copy }) =>
        copy !== null && select.remotes.includes(source.remote) && subjectKey(targetOf(source, copy)) === key,
    )
  )
}

/** Null: no problem, or it is excluded on purpose. */
export function misplacedProblem(
  place: InstanceRef,
  record: InstanceRecord,
  policies: readonly Policy[],
): Problem | null {
  const of = record.config[REPLICA_OF]
  if (of === undefined || isExcluded(record)) return null
  const about = subjectKey(place)
  if (!record.own.includes(REPLICA_OF)) {
    const reason = `a profile sets ${REPLICA_OF} on it, so stapes treats it as a copy and does NOT back it up: remove that key from the profile`
    return { about, reason }
  }
  if (fitsPlace(place, of, policies)) return null
  const what = of === about ? 'of itself, made on another server' : `of ${of}, which no policy puts here`
  const reason = `it has the marks of a copy ${what}, so stapes treats it as a copy and does NOT back it up. If it is an independent instance now, ${cure(place, record)}. If it needs no backups: ${configCommand(place, 'set', `${PREFIX}exclude=true`)}`
  return { about, reason }
}

/** Null: nothing is left, or it may be a copy. It would not start with its server, nor follow its own schedule. */
export function leftOverWarning(place: InstanceRef, record: InstanceRecord): Problem | null {
  // The relay takes these two off (withoutOwnCopy).
  if (record.config[REPLICA_OF] !== undefined || !record.own.includes(REPLICA_SERVER)) return null
  // On a volume it is a mark that says nothing, and nothing else.
  if (isVolume(record)) return null
  const reason = `it was copied back from its copy and is backed up again, but it still has what stapes sets on a copy, as boot.autostart=false: ${cure(place, { own: [REPLICA_OF, VERIFIED, ...record.own] })}`
  return { about: subjectKey(place), reason }
}

/**
 * Copies that run, or volumes' that are attached, on all remotes: one that took over is neither refreshed nor backed
 * up. `reported`: keys that another problem names already.
 */
export function promotedWarnings(
  policies: readonly Policy[],
  replies: Readonly<Record<string, RemoteReply>>,
  reported: ReadonlySet<string>,
): Problem[] {
  const targets = new Set(policies.flatMap(({ copy }) => (copy === null ? [] : [copy.remote])))
  return [...targets].flatMap((remote) => {
    const reply = own(replies, remote)
    return (reply?.ok === true ? reply.inventory.instances : []).flatMap((record): Problem[] => {
      const place = { remote, project: record.project, instance: record.name }
      const about = subjectKey(place)
      const of = record.own.includes(REPLICA_OF) ? record.config[REPLICA_OF] : undefined
      if (of === undefined || !isUsed(record) || isExcluded(record) || reported.has(about)) return []
      const covered = policies.some(
        (policy) =>
          policy.select.remotes.includes(remote) &&
          (mayReach(policy, record) ||
            (isVolume(record) && volumesBy(policy.select, NOTHING)(place, record))),
      )
      const intake = covered
        ? ''
        : `; then select it in a policy of stapes.jsonc, since none covers it on ${remote}`
      const [state, end] = isVolume(record)
        ? [`attached to ${usersText(remote, record.users)}`, 'detach it there']
        : ['running', `on ${remote}: incus stop ${named(place)}`]
      const reason = `it is ${state} and marked as the copy of ${of}, so it is neither refreshed nor backed up. If it took over, ${cure(place, record)}${intake}. If it did not, ${end}`
      return [{ about, reason }]
    })
  })
}

const NOTHING: ReadonlySet<string> = new Set()

const RUNS = ['Running', 'Frozen', 'Ready']

const isUsed = ({ status, users = [] }: InstanceRecord): boolean => RUNS.includes(status) || users.length > 0

/** Leaves an instance out of all policies. */
export const EXCLUDE = `${PREFIX}exclude`

/** By its own key, or a profile's. */
export const isExcluded = ({ config }: Pick<InstanceRecord, 'config'>): boolean => isTrue(config[EXCLUDE])

/** What stapes sets on a copy beside its marks. */
const SETTINGS = ['boot.autostart', 'snapshots.schedule']

function cure(place: InstanceRef, { own: keys }: Pick<InstanceRecord, 'own'>): string {
  const settings = volumeIn(place.instance) === null ? SETTINGS : []
  const marks = keys.filter(
    (key) => isMark(key) && !key.startsWith(HOLD) && key !== RESTORING && key !== RESTORED,
  )
  const commands = [...marks, ...settings].map((key) => configCommand(place, 'unset', shellWord(key)))
  return `run on ${place.remote}: ${commands.join('; ')}`
}
