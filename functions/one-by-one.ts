/**
 * Makes jobs of actions so that what can't be made into one is refused alone. It is made of what servers said, and
 * one that no check has foreseen must not keep the others' work from being done.
 */
import type { Outcome, PlannedJob } from '../shared/plan/jobs.ts'
import type { AnyAction } from '../shared/plan/plan.ts'
import type { CallError } from '../shared/relay/protocol.ts'
import { safeText } from '../shared/safe-text.ts'

type Made = { jobs: PlannedJob[]; outcomes: Outcome[] }

/** `groupOf`: actions of one group go together, or none of them. */
export function oneByOne<Action extends AnyAction, Part extends Made>(
  actions: readonly Action[],
  groupOf: (action: Action) => string,
  make: (actions: readonly Action[]) => Part,
): (Part | Made)[] {
  try {
    return [make(actions)]
  } catch (cause) {
    const groups = new Map<string, Action[]>()
    for (const action of actions)
      groups.set(groupOf(action), [...(groups.get(groupOf(action)) ?? []), action])
    if (groups.size > 1) return [...groups.values()].flatMap((group) => oneByOne(group, groupOf, make))
    return [{ jobs: [], outcomes: actions.map((action) => refused(action, cause)) }]
  }
}

const refused = (action: AnyAction, cause: unknown): Outcome => ({
  action,
  state: 'refused',
  error: brokenBy(cause),
})

const brokenBy = (cause: unknown): CallError => ({
  code: 'bad-request',
  message: `nothing was sent, because stapes can't work out how (${safeText(String(cause), 300)}): this is a bug, please report it`,
})
