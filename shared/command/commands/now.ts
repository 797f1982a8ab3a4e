import { err, ok } from '../../result.ts'
import type { ChangeCommand } from '../command.ts'
import { INSTANCES, POLICY, scopeOf } from '../scope.ts'

export const now: ChangeCommand = {
  kind: 'change',
  does: 'snapshot',
  name: 'now',
  summary: 'Take a snapshot now, of instances or of all that a policy covers',
  role: 'operator',
  parameters: [INSTANCES, POLICY],
  examples: ["now web1 'db*'", 'now --policy=daily', "now '*'"],
  request(values, reason) {
    const scope = scopeOf(values)
    if (scope.instances === undefined && scope.policies === undefined)
      return err(
        "Say of what: /backup now web1 of one instance, /backup now '*' of all, /backup now --policy=daily of all that a policy covers.",
      )
    return ok({ do: 'snapshot', reason, ...scope })
  },
}
