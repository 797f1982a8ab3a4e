/** How a new instance reads in a plan. */

import { type InstanceRef, nounOf, subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import { incusCommand } from '../../shell.ts'
import type { CloneAction, FinishAction, RemoveAction } from './action.ts'

export function cloneLine({ from, snapshot, to, whole, start, of, reason }: CloneAction): Line {
  const after = start
    ? 'it is started then'
    : `it stays stopped: ${incusCommand(to.project, 'start', to.instance)}`
  const same = whole
    ? 'with all that is verified there, its own addresses and its holds; its policies go on'
    : 'as a new instance of its own, without fixed addresses and marks'
  const copy = subjectKey(from) === of ? '' : `, the copy of ${of}`
  const source = `${snapshot} of ${subjectKey(from)}${copy}`
  if (nounOf(to) === 'volume')
    return {
      ...{ about: subjectKey(to), sign: '*', what: snapshot },
      reason: `${reason}: made from ${source}, ${volumeText({ from, to, whole })}; nothing else is changed, and nothing uses it until somebody attaches it`,
    }
  return {
    about: subjectKey(to),
    sign: '*',
    what: snapshot,
    reason: `${reason}: made from ${source}, ${same}; nothing else is changed; ${after}`,
  }
}

function volumeText({ from, to, whole }: Pick<CloneAction, 'from' | 'to' | 'whole'>): string {
  if (whole) return 'with all that is verified there, and its holds; its policies go on'
  const sent = from.remote === to.remote ? '' : '; Incus sends all snapshots with it, and those go again'
  return `as a new volume of its own, without marks${sent}`
}

type Afterwards = Pick<Line, 'sign' | 'counts'>

const lineOf = (how: Afterwards, { ref, reason }: { ref: InstanceRef; reason: string }): Line => ({
  ...how,
  ...{ about: subjectKey(ref), what: '', reason },
})

export const finishLine = (action: FinishAction): Line => lineOf({ sign: '^', counts: 'whole' }, action)
export const removeLine = (action: RemoveAction): Line => lineOf({ sign: '-', counts: 'half made' }, action)
