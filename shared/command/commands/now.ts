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
        "Say which: /backup now web1 for one instance, /backup now '*' for all, /backup now --policy=daily for all that a policy covers.",
      )
    return ok({ do: 'snapshot', reason, ...scope })
  },
}
