/** How a restore reads. */
import { nounOf, subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import type { RestoreAction, StartAction, UndoAction } from './action.ts'

/** Says what is lost, what stays, and how to undo it. */
export function restoreLine({
  ref,
  snapshot,
  safety,
  restored,
  running,
  stateful,
  users,
  diskOnly,
  reason,
}: RestoreAction): Line {
  const about = subjectKey(ref)
  if (nounOf(ref) === 'volume') return volumeLine({ ref, snapshot, safety, restored, users, reason })
  // Only marks and holds are set, the disk isn't changed.
  if (restored) return { about, sign: '#', counts: 'marks', what: snapshot, reason }
  const stopped = stateful
    ? `it continues with the memory saved in ${snapshot}`
    : running
      ? 'it is stopped, restored and started again'
      : 'it stays stopped'
  const what = diskOnly
    ? `the disk becomes that of ${snapshot}, its settings stay`
    : `disk and settings become those of ${snapshot}`
  const lost = `${what}; later changes are kept only in ${safety.name}; all snapshots stay`
  return { about, sign: '<', what: snapshot, reason: `${reason}: ${lost}; ${stopped}` }
}

type OfVolume = Pick<RestoreAction, 'ref' | 'snapshot' | 'safety' | 'restored' | 'users' | 'reason'>

function volumeLine({ ref, snapshot, safety, restored, users, reason }: OfVolume): Line {
  const about = subjectKey(ref)
  if (restored) return { about, sign: '#', counts: 'marks', what: snapshot, reason }
  const stopped =
    users.length === 0
      ? 'no instance that runs uses it'
      : `${users.join(', ')} ${users.length === 1 ? 'uses it, is' : 'use it, are'} shut down for it and started again afterwards`
  const lost = `its data becomes that of ${snapshot}; later changes are kept only in ${safety.name}; all snapshots stay`
  return { about, sign: '<', what: snapshot, reason: `${reason}: ${lost}; ${stopped}` }
}

export const restoreLines = (action: RestoreAction): Line[] => [
  ...(action.restored || action.safety.taken ? [] : [safetyLine(action)]),
  restoreLine(action),
]

function safetyLine({ ref, safety, standstill }: RestoreAction): Line {
  const until = safety.expiresAt ?? 'somebody removes it'
  const stillness = standstill === null ? '' : `; ${standstill}`
  const reason = `the previous state, kept until ${until}: /backup restore ${ref.instance} ${safety.name} brings it back${stillness}`
  return { about: subjectKey(ref), sign: '+', what: safety.name, reason }
}

/** Of an instance that is started after a restore. */
export const startLine = ({ ref, reason }: StartAction): Line => ({
  ...{ about: subjectKey(ref), sign: '^', what: '', reason },
})

/** Of one that is as it was. */
export const undoLine = ({ ref, reason }: UndoAction): Line => ({
  ...{ about: subjectKey(ref), sign: '^', counts: 'refused', what: '', reason },
})
