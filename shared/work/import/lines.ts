/** How an import reads in a plan. */
import { subjectKey } from '../../incus/subject.ts'
import type { Line } from '../../plan/line.ts'
import { incusCommand } from '../../shell.ts'
import type { ImportAction } from './action.ts'

export function importLine({ of, store, name, to, start, reason }: ImportAction): Line {
  const after = start
    ? 'it is started then'
    : `it stays stopped: ${incusCommand(to.project, 'start', to.instance)}`
  return {
    about: subjectKey(to),
    sign: '*',
    what: name,
    reason: `${reason}: made from the export ${name} of ${subjectKey(of)} in ${store}, as a new instance of its own, without fixed addresses and marks; nothing else is changed; ${after}`,
  }
}
