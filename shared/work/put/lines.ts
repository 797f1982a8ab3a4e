/** How files that are restored read. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import { safeText } from '../../safe-text.ts'
import type { PutAction } from './action.ts'

export function putLine({ ref, from, snapshot, path, safety, reason }: PutAction): Line {
  const about = subjectKey(ref)
  const whose = subjectKey(from) === about ? '' : ` of ${subjectKey(from)}`
  return {
    ...{ about, sign: '<', counts: 'files', what: safeText(path) },
    reason: `${reason}: it becomes what it is in ${snapshot}${whose}; what is there now is kept only in ${safety.name}; what a folder has besides stays, and so does all else`,
  }
}

export const putLines = (action: PutAction): Line[] => [
  ...(action.safety.taken ? [] : [safetyLine(action)]),
  putLine(action),
]

function safetyLine({ ref, safety, standstill }: PutAction): Line {
  const until = safety.expiresAt ?? 'somebody removes it'
  const stillness = standstill === null ? '' : `; ${standstill}`
  const reason = `the previous state, kept until ${until}: /backup restore ${ref.instance} ${safety.name} brings it back${stillness}`
  return { about: subjectKey(ref), sign: '+', what: safety.name, reason }
}
