/** A job for each export: a store is no instance, and nothing waits for it. */
import { subjectKey } from '../../incus/subject.ts'
import type { PlannedJob } from '../../plan/jobs.ts'
import type { Step } from '../../relay/steps.ts'
import type { RemovalAction } from './action.ts'

export function removalJob(action: RemovalAction): PlannedJob {
  const { ref, store, name } = action
  const id = `${action.kind} ${subjectKey(ref)}>${store} ${name}`
  return {
    job: { id, lock: `${subjectKey(ref)}>${store} ${name}`, steps: [stepOf(action)] },
    parts: [action],
  }
}

function stepOf(action: RemovalAction): Step {
  const { ref, store, name } = action
  const of = { ref, store, name }
  switch (action.kind) {
    case 'hold-export':
      return {
        do: 'note-export',
        ...of,
        note: action.note === null ? { do: 'release' } : { do: 'hold', text: action.note },
      }
    case 'undo-export':
      return { do: 'note-export', ...of, note: { do: 'undo' } }
    case 'remove-export':
      return { do: 'note-export', ...of, note: { do: 'remove', end: action.end, last: action.last } }
    case 'drop-export':
      return { do: 'drop-export', ...of }
  }
}
